package weights

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const policy = `{
  "filter": "canary-split",
  "splits": [
    { "name": "other", "backends": [ { "name": "canary", "weight": 7 } ] },
    { "name": "stock", "weightTotal": 1000, "rollback": { "errors": "enforce" },
      "backends": [ { "name": "stable", "baseline": true },
                    { "name": "canary", "authority": "stock-canary", "maxWeight": 500 },
                    { "name": "ramped", "ramp": { "steps": [] } } ] } ] }`

func read(t *testing.T, text string) map[string]any {
	t.Helper()
	resource := map[string]any{}
	if err := json.Unmarshal([]byte(text), &resource); err != nil {
		t.Fatal(err)
	}
	return resource
}

func find(t *testing.T, resource map[string]any) Backend {
	t.Helper()
	backend, err := Find(resource, "stock", "canary")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func TestTheBackendIsFoundInEachResource(t *testing.T) {
	for _, resource := range []string{
		`{"spec": {"wasm": {"pluginConfig": ` + policy + `}}}`,
		`{"spec": {"pluginConfig": ` + policy + `}}`,
		`{"spec": {"pluginConfig": {"filter": "narrows", "split": ` + policy + `}}}`,
	} {
		before, after := read(t, resource), read(t, resource)
		backend := find(t, after)
		if total, err := backend.Total(); total != 1000 || err != nil {
			t.Errorf("total %d, %v", total, err)
		}
		if weight, err := backend.Weight(); weight != 0 || err != nil {
			t.Errorf("weight %d, %v, before one is written", weight, err)
		}
		if err := backend.SetWeight(300); err != nil {
			t.Fatal(err)
		}
		if weight, _ := find(t, after).Weight(); weight != 300 {
			t.Errorf("weight %d is in the resource, not 300", weight)
		}
		// Nothing else has changed.
		delete(backend.backend, "weight")
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%v\nbecame\n%v", before, after)
		}
	}
}

func TestAGenerationRises(t *testing.T) {
	resource := read(t, `{"spec": {"pluginConfig": `+policy+`}}`)
	for _, expected := range []int64{2, 3} {
		backend := find(t, resource)
		if err := backend.TryAgain(); err != nil {
			t.Fatal(err)
		}
		if found := backend.split["rollback"].(map[string]any)["generation"]; found != expected {
			t.Errorf("generation %v, not %d", found, expected)
		}
	}
	other, err := Find(resource, "other", "canary")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.TryAgain(); err != nil || other.split["rollback"] != nil {
		t.Errorf("a split without rollback: %v, %v", other.split, err)
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	resource := read(t, `{"spec": {"pluginConfig": `+policy+`}}`)
	for names, expected := range map[[2]string]string{
		{"stocks", "canary"}:  `there is no split "stocks": known here: other, stock`,
		{"stock", "canaries"}: `there is no backend "canaries": known here: stable, canary, ramped`,
		{"stock", "ramped"}:   "has a ramp",
	} {
		if _, err := Find(resource, names[0], names[1]); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%v: %v, not %s", names, err, expected)
		}
	}
	if _, err := Find(map[string]any{}, "stock", "canary"); err == nil {
		t.Error("a resource without a policy is accepted")
	}
	for _, weight := range []int64{-1, 501, 1000} {
		if err := find(t, resource).SetWeight(weight); err == nil {
			t.Errorf("the weight %d is accepted", weight)
		}
	}
	for _, weight := range []any{"ten", 1.5, true, json.Number("1.5")} {
		backend := find(t, resource)
		backend.backend["weight"] = weight
		if _, err := backend.Weight(); err == nil {
			t.Errorf("the weight %v is read", weight)
		}
	}
	for _, weight := range []any{int64(10), 10.0, json.Number("10")} {
		backend := find(t, resource)
		backend.backend["weight"] = weight
		if found, err := backend.Weight(); found != 10 || err != nil {
			t.Errorf("the weight %v is read as %d, %v", weight, found, err)
		}
	}
}

func TestATargetNamesEverything(t *testing.T) {
	whole := Target{Kind: "WasmPlugin", Namespace: "books", Name: "stock-split", Split: "stock", Backend: "canary"}
	if err := whole.Check(); err != nil {
		t.Error(err)
	}
	for _, lacking := range []Target{
		{}, {Kind: "EnvoyFilter", Namespace: "a", Name: "a", Split: "a", Backend: "a"},
		{Kind: "WasmPlugin", Name: "a", Split: "a", Backend: "a"}, {Kind: "WasmPlugin", Namespace: "a", Split: "a", Backend: "a"},
		{Kind: "WasmPlugin", Namespace: "a", Name: "a", Backend: "a"}, {Kind: "WasmPlugin", Namespace: "a", Name: "a", Split: "a"},
	} {
		if err := lacking.Check(); err == nil {
			t.Errorf("%+v is accepted", lacking)
		}
	}
}
