// pod-security holds the pods of a YAML text (stdin) against a level of Kubernetes' Pod Security Standards, with the
// code of Kubernetes itself. Usage: pod-security restricted < file.yaml. Prints a line for each pod or pod template:
// "allowed <kind>/<name>" or "forbidden <kind>/<name>: <reasons>". Exits with 2 for what it cannot read.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: pod-security restricted|baseline|privileged < file.yaml"))
	}
	level, err := api.ParseLevel(os.Args[1])
	fail(err)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	fail(err)
	limit := api.LevelVersion{Level: level, Version: api.LatestVersion()}
	decoder := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := decoder.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		fail(err)
		name, meta, spec, err := podOf(document)
		fail(err)
		if spec == nil {
			continue
		}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(limit, meta, spec))
		if result.Allowed {
			fmt.Println("allowed", name)
		} else {
			fmt.Printf("forbidden %s: %s\n", name, result.ForbiddenDetail())
		}
	}
}

// podOf gives the pod that a resource is or makes; nil for a resource of another kind.
func podOf(document []byte) (string, *metav1.ObjectMeta, *corev1.PodSpec, error) {
	var header metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &header); err != nil {
		return "", nil, nil, err
	}
	name := fmt.Sprintf("%s/%s", header.Kind, header.Name)
	switch header.Kind {
	case "Pod":
		var pod corev1.Pod
		err := yaml.UnmarshalStrict(document, &pod)
		return name, &pod.ObjectMeta, &pod.Spec, err
	case "Deployment":
		var deployment appsv1.Deployment
		err := yaml.UnmarshalStrict(document, &deployment)
		return name, &deployment.Spec.Template.ObjectMeta, &deployment.Spec.Template.Spec, err
	case "Job":
		var job batchv1.Job
		err := yaml.UnmarshalStrict(document, &job)
		return name, &job.Spec.Template.ObjectMeta, &job.Spec.Template.Spec, err
	}
	return name, nil, nil, nil
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pod-security:", err)
		os.Exit(2)
	}
}
