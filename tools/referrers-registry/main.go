// A registry in memory with the referrers API: go-containerregistry's own. Prints its address as JSON when it listens.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "host:port; port 0 takes a free one")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	fmt.Printf("{\"address\":%q}\n", listener.Addr().String())
	log.Fatal(http.Serve(listener, handler))
}
