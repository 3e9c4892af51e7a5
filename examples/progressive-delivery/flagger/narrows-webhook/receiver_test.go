package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	"narrows.local/progressive-delivery/weights"
)

const extension = `{
  "apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension",
  "metadata": {"name": "orders-split", "namespace": "market"},
  "spec": {"wasm": {"pluginConfig": {
    "filter": "canary-split",
    "splits": [{"name": "orders", "weightTotal": 1000, "rollback": {"errors": "enforce"},
                "backends": [{"name": "primary", "baseline": true}, {"name": "canary", "authority": "orders-canary", "weight": 0}]}]}}}}`

var target = weights.Target{Kind: "TrafficExtension", Namespace: "market", Name: "orders-split", Split: "orders", Backend: "canary"}

func start(t *testing.T) *receiver {
	t.Helper()
	resource := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(extension), resource); err != nil {
		t.Fatal(err)
	}
	kinds := map[schema.GroupVersionResource]string{
		{Group: "extensions.istio.io", Version: "v1alpha1", Resource: "trafficextensions"}: "TrafficExtensionList",
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, resource)
	return &receiver{client: client, setWeight: inPlace}
}

// inPlace stands for the command line.
func inPlace(_ context.Context, target weights.Target, resource *unstructured.Unstructured, weight int64) (string, error) {
	backend, err := target.Of(resource)
	if err != nil {
		return "", err
	}
	return "somebody moves", backend.SetWeight(weight)
}

// post sends an event as Flagger 1.44 does: the webhook's own metadata comes along.
func (r *receiver) post(t *testing.T, message string, metadata map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	said := map[string]any{
		"name": "orders", "namespace": "market", "phase": "Progressing", "checksum": "85d557f47b",
		"metadata": map[string]string{"eventMessage": message, "eventType": "Normal", "timestamp": "1796000000000"},
	}
	for key, value := range metadata {
		said["metadata"].(map[string]string)[key] = value
	}
	body, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	r.routes().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/event", strings.NewReader(string(body))))
	return answer
}

func meta() map[string]string {
	return map[string]string{"kind": target.Kind, "name": target.Name, "split": target.Split, "backend": target.Backend}
}

// state is the weight and the generation in the resource.
func (r *receiver) state(t *testing.T) (int64, any) {
	t.Helper()
	resource, err := target.Read(context.Background(), r.client)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := target.Of(resource)
	if err != nil {
		t.Fatal(err)
	}
	weight, err := backend.Weight()
	if err != nil {
		t.Fatal(err)
	}
	splits, _, _ := unstructured.NestedSlice(resource.Object, "spec", "wasm", "pluginConfig", "splits")
	generation, _, _ := unstructured.NestedFieldNoCopy(splits[0].(map[string]any), "rollback", "generation")
	return weight, generation
}

// The events of a canary analysis in their order, as Flagger's own source writes them.
func TestAnAnalysisFromItsEvents(t *testing.T) {
	receiver := start(t)
	for _, step := range []struct {
		message    string
		weight     int64
		generation any
	}{
		{"Initialization done! orders.market", 0, nil},
		{"New revision detected! Scaling up orders.market", 0, int64(2)},
		{"Starting canary analysis for orders.market", 0, int64(2)},
		{"Advance orders.market canary weight 10", 100, int64(2)},
		{"Halt orders.market advancement success rate 90.00% < 99%", 100, int64(2)},
		{"Advance orders.market canary weight 30", 300, int64(2)},
		{"New revision detected! Restarting analysis for orders.market", 0, int64(3)},
		{"Advance orders.market canary weight 50", 500, int64(3)},
		{"Copying orders.market template spec to orders-primary.market", 500, int64(3)},
		{"Advance orders.market primary weight 70", 300, int64(3)},
		{"Routing all traffic to primary", 0, int64(3)},
		{"Promotion completed! Scaling down orders.market", 0, int64(3)},
		{"New revision detected! Scaling up orders.market", 0, int64(4)},
		{"Advance orders.market canary weight 10", 100, int64(4)},
		{"Rolling back orders.market failed checks threshold reached 2", 100, int64(4)},
		{"Canary failed! Scaling down orders.market", 0, int64(4)},
		{"Promotion of orders.market failed, primary not ready: progress deadline exceeded", 1000, int64(4)},
	} {
		if answer := receiver.post(t, step.message, meta()); answer.Code != http.StatusOK {
			t.Errorf("%q is answered %d %s", step.message, answer.Code, answer.Body)
		}
		if weight, generation := receiver.state(t); weight != step.weight || generation != step.generation {
			t.Errorf("after %q: weight %d, generation %v; not %d, %v", step.message, weight, generation, step.weight, step.generation)
		}
	}
}

func TestWhatIsNoOrder(t *testing.T) {
	for _, message := range []string{
		"", "Advance orders.market canary weight", "Advance orders.market canary weight 101", "Advance orders.market canary weight -1",
		"Advance orders.market canary weight 10 ", "advance orders.market canary weight 10", "Advance orders.market canary iteration 1/10",
		"Advance orders.market canary weight 99999999999999999999", "not Routing all traffic to primary",
	} {
		if meant, isOrder := orderOf(message); isOrder {
			t.Errorf("%q is taken for %+v", message, meant)
		}
	}
}

func TestAFaultIsAnswered(t *testing.T) {
	receiver := start(t)
	advance := "Advance orders.market canary weight 10"
	with := func(key, value string) map[string]string {
		changed := meta()
		changed[key] = value
		return changed
	}
	for _, fault := range []struct {
		metadata map[string]string
		status   int
		says     string
	}{
		{nil, http.StatusBadRequest, "kind is"},
		{with("kind", "Secret"), http.StatusBadRequest, "TrafficExtension or WasmPlugin"},
		{with("name", ""), http.StatusBadRequest, "name is missing"},
		{with("name", "absent"), http.StatusInternalServerError, "not found"},
		{with("split", "order"), http.StatusInternalServerError, `there is no split "order"`},
	} {
		answer := receiver.post(t, advance, fault.metadata)
		if answer.Code != fault.status || !strings.Contains(answer.Body.String(), fault.says) {
			t.Errorf("%v: %d %s", fault.metadata, answer.Code, answer.Body)
		}
	}
	receiver.setWeight = func(context.Context, weights.Target, *unstructured.Unstructured, int64) (string, error) {
		return "", errors.New("the command line fails")
	}
	if answer := receiver.post(t, advance, meta()); answer.Code != http.StatusInternalServerError {
		t.Errorf("a command line that fails: %d %s", answer.Code, answer.Body)
	}
	if weight, _ := receiver.state(t); weight != 0 {
		t.Errorf("the weight is %d", weight)
	}
	for request, status := range map[*http.Request]int{
		httptest.NewRequest(http.MethodPost, "/event", strings.NewReader("{")): http.StatusBadRequest,
		httptest.NewRequest(http.MethodGet, "/event", nil):                     http.StatusMethodNotAllowed,
		httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")):     http.StatusNotFound,
		httptest.NewRequest(http.MethodGet, "/healthz", nil):                   http.StatusOK,
	} {
		answer := httptest.NewRecorder()
		receiver.routes().ServeHTTP(answer, request)
		if answer.Code != status {
			t.Errorf("%s %s: %d, not %d", request.Method, request.URL, answer.Code, status)
		}
	}
}

// A program in the place of narrows: it shows how the command line is called, and that its file is what is written.
func TestTheCommandLineIsCalled(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "narrows")
	script := "#!/bin/sh\necho \"$1 $3 $4 $5 $6 $7 $8\"\ntest $8 != 13 || exit 2\nsed -i 's/\"weight\":0/\"weight\":'$8'/' \"$2\"\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	receiver := start(t)
	receiver.setWeight = commandLine(program)
	answer := receiver.post(t, "Advance orders.market canary weight 10", meta())
	if expected := "set-weight --split orders --backend canary --allow-back 100\n"; answer.Body.String() != expected {
		t.Errorf("%d %q, not %q", answer.Code, answer.Body, expected)
	}
	if weight, _ := receiver.state(t); weight != 100 {
		t.Errorf("the weight is %d", weight)
	}
	resource, err := target.Read(context.Background(), receiver.client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commandLine(program)(context.Background(), target, resource, 13); err == nil {
		t.Error("a command that fails is taken for one that works")
	}
}
