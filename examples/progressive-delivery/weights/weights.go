// Package weights changes the weight of a backend in the policy of canary-split that a TrafficExtension or a
// WasmPlugin carries. The rest of the resource stays as it is.
package weights

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Backend is one of the backends of a split, in a resource.
type Backend struct {
	split   map[string]any
	backend map[string]any
}

// Find looks for a backend in a resource, by the name of its split and its own.
func Find(resource map[string]any, split, backend string) (Backend, error) {
	policy, err := policyOf(resource)
	if err != nil {
		return Backend{}, err
	}
	found, err := named(policy["splits"], "split", split)
	if err != nil {
		return Backend{}, err
	}
	one, err := named(found["backends"], "backend", backend)
	if err != nil {
		return Backend{}, fmt.Errorf("split %s: %w", split, err)
	}
	if _, hasRamp := one["ramp"]; hasRamp {
		return Backend{}, fmt.Errorf("split %s: backend %s has a ramp, which the clock moves: take it out where a controller sets the weight", split, backend)
	}
	return Backend{split: found, backend: one}, nil
}

// Weight is what the resource says now; without a weight it is 0.
func (b Backend) Weight() (int64, error) {
	return number(b.backend, "weight", 0)
}

// SetWeight writes another weight. One that the backend can never have is refused: the proxies would refuse the policy.
func (b Backend) SetWeight(weight int64) error {
	total, err := b.Total()
	if err != nil {
		return err
	}
	most, err := number(b.backend, "maxWeight", total)
	if err != nil {
		return err
	}
	if weight < 0 || weight > most {
		return fmt.Errorf("backend %v: the weight %d is not between 0 and %d: raise its maxWeight", b.backend["name"], weight, most)
	}
	b.backend["weight"] = weight
	return nil
}

// Total is what the weights of the split are parts of.
func (b Backend) Total() (int64, error) {
	return number(b.split, "weightTotal", 100)
}

// Part is how many parts of the split's total are so many of a controller's whole.
func (b Backend) Part(desired, whole int64) (int64, error) {
	total, err := b.Total()
	if err != nil {
		return 0, err
	}
	if desired*total%whole != 0 {
		return 0, fmt.Errorf("%d of %d is no whole part of weightTotal %d: write weightTotal: %d into the split", desired, whole, total, whole)
	}
	return desired * total / whole, nil
}

// TryAgain raises the generation of the split's rollback: a proxy that has switched the canary off tries it again.
// A split without a rollback has nothing to raise.
func (b Backend) TryAgain() error {
	rollback, ok := b.split["rollback"].(map[string]any)
	if !ok {
		return nil
	}
	generation, err := number(rollback, "generation", 1)
	if err != nil {
		return err
	}
	rollback["generation"] = generation + 1
	return nil
}

// policyOf is the policy of canary-split in a resource: the whole one, or a part of the merged plugin's.
func policyOf(resource map[string]any) (map[string]any, error) {
	spec, _ := resource["spec"].(map[string]any)
	if wasm, ok := spec["wasm"].(map[string]any); ok {
		spec = wasm
	}
	policy, ok := spec["pluginConfig"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the resource has no pluginConfig: name one that carries a policy of canary-split")
	}
	if part, ok := policy["split"].(map[string]any); ok {
		policy = part
	}
	return policy, nil
}

// named finds one of a list by its name.
func named(list any, what, name string) (map[string]any, error) {
	all, _ := list.([]any)
	var known []string
	for _, one := range all {
		table, _ := one.(map[string]any)
		found, _ := table["name"].(string)
		if found == name {
			return table, nil
		}
		known = append(known, found)
	}
	return nil, fmt.Errorf("there is no %s %q: known here: %s", what, name, strings.Join(known, ", "))
}

// number reads a whole number, in each form that readers of JSON give it.
func number(table map[string]any, field string, missing int64) (int64, error) {
	switch value := table[field].(type) {
	case nil:
		return missing, nil
	case int64:
		return value, nil
	case float64:
		if whole := int64(value); float64(whole) == value {
			return whole, nil
		}
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole, nil
		}
	}
	return 0, fmt.Errorf("%s is %v: write a whole number", field, table[field])
}
