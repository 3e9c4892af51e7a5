package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"narrows.local/progressive-delivery/weights"
)

// longest is more than any event has.
const longest = 64 << 10

// patience is less than Flagger waits for an answer.
const patience = 8 * time.Second

// receiver carries out what events ask for, one after the other.
type receiver struct {
	client    dynamic.Interface
	setWeight setWeight
	one       sync.Mutex
}

// setWeight writes another weight into a resource, and says who moves.
type setWeight func(ctx context.Context, target weights.Target, resource *unstructured.Unstructured, weight int64) (string, error)

func (r *receiver) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /event", r.event)
	routes.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return routes
}

// event answers 400 to what cannot be meant, and 500 to what may work the next time: Flagger repeats that.
func (r *receiver) event(answer http.ResponseWriter, request *http.Request) {
	var said payload
	if err := json.NewDecoder(io.LimitReader(request.Body, longest)).Decode(&said); err != nil {
		refuse(answer, http.StatusBadRequest, fmt.Errorf("the event cannot be read: %w", err))
		return
	}
	meant, isOrder := orderOf(said.Metadata["eventMessage"])
	if !isOrder {
		fmt.Fprintln(answer, "nothing to do")
		return
	}
	target := weights.Target{
		Kind: said.Metadata["kind"], Namespace: said.Namespace, Name: said.Metadata["name"],
		Split: said.Metadata["split"], Backend: said.Metadata["backend"],
	}
	if err := target.Check(); err != nil {
		refuse(answer, http.StatusBadRequest, fmt.Errorf("the webhook's metadata: %w", err))
		return
	}
	moves, err := r.carryOut(request.Context(), target, meant)
	if err != nil {
		refuse(answer, http.StatusInternalServerError, err)
		return
	}
	log.Printf("%s: %q: %s", target, said.Metadata["eventMessage"], moves)
	fmt.Fprint(answer, moves)
}

// carryOut writes the weight, and for a new version a higher generation. Events come in order, and are kept so.
func (r *receiver) carryOut(ctx context.Context, target weights.Target, meant order) (string, error) {
	r.one.Lock()
	defer r.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	moves := ""
	err := target.Change(ctx, r.client, func(resource *unstructured.Unstructured) (bool, error) {
		backend, err := target.Of(resource)
		if err != nil {
			return false, err
		}
		weight, err := backend.Part(meant.weight, whole)
		if err != nil {
			return false, err
		}
		if meant.begins {
			if err := backend.TryAgain(); err != nil {
				return false, err
			}
		}
		moves, err = r.setWeight(ctx, target, resource, weight)
		return true, err
	})
	return moves, err
}

func refuse(answer http.ResponseWriter, status int, err error) {
	log.Print(err)
	http.Error(answer, err.Error(), status)
}

// commandLine has narrows set-weight change the resource in a file. It reads the whole policy before and after: what
// the proxies would refuse is not written.
func commandLine(narrows string) setWeight {
	return func(ctx context.Context, target weights.Target, resource *unstructured.Unstructured, weight int64) (string, error) {
		folder, err := os.MkdirTemp("", "narrows")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(folder)
		file := filepath.Join(folder, "resource.json")
		text, err := resource.MarshalJSON()
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return "", err
		}
		// Going back is what a rollback is for.
		command := exec.CommandContext(ctx, narrows, "set-weight", file, "--split", target.Split,
			"--backend", target.Backend, "--allow-back", strconv.FormatInt(weight, 10))
		said, err := command.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("narrows set-weight: %w: %s", err, said)
		}
		if text, err = os.ReadFile(file); err != nil {
			return "", err
		}
		return string(said), resource.UnmarshalJSON(text)
	}
}
