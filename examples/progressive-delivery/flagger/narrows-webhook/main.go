// Command narrows-webhook hears the events of Flagger, and writes the weights that they tell into a policy of
// canary-split, by narrows set-weight. Which backend of which resource is meant stands in the webhook's metadata.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

func main() {
	listen := flag.String("listen", ":8080", "where to listen")
	narrows := flag.String("narrows", "/narrows", "the command line")
	flag.Parse()
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	receiver := &receiver{client: client, setWeight: commandLine(*narrows)}
	server := &http.Server{Addr: *listen, Handler: receiver.routes(), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
