// policy-tester judges an image by a ClusterImagePolicy, as sigstore's policy-controller does in a cluster. The controller's
// own tester takes no trusted root in JSON, and of the keys that a TrustRoot lists it finds no transparency log's.
//
//	policy-tester <policy.yaml> <trusted root in JSON> <trustRootRef> <image>
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/sigstore/policy-controller/pkg/apis/config"
	"github.com/sigstore/policy-controller/pkg/policy"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: policy-tester <policy.yaml> <trusted root in JSON> <trustRootRef> <image>")
		os.Exit(2)
	}
	if err := judge(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("admitted")
}

func judge(policyFile, rootFile, rootName, image string) error {
	text, err := os.ReadFile(rootFile)
	if err != nil {
		return err
	}
	keys := &config.SigstoreKeys{}
	// Roots of later editions have fields that its library does not know.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, keys); err != nil {
		return err
	}
	ctx := context.Background()
	controller := config.FromContextOrDefaults(ctx)
	controller.SigstoreKeysConfig = &config.SigstoreKeysMap{SigstoreKeys: map[string]*config.SigstoreKeys{rootName: keys}}
	ctx = config.ToContext(ctx, controller)
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	verification := policy.Verification{NoMatchPolicy: "deny", Policies: &[]policy.Source{{Path: policyFile}}}
	if problem := verification.Validate(ctx); problem != nil {
		fmt.Fprintln(os.Stderr, problem)
	}
	warnings := []error{}
	verifier, err := policy.Compile(ctx, verification, func(format string, values ...any) {
		warnings = append(warnings, fmt.Errorf(format, values...))
	})
	if err != nil {
		return err
	}
	return errors.Join(verifier.Verify(ctx, ref, authn.DefaultKeychain), errors.Join(warnings...))
}
