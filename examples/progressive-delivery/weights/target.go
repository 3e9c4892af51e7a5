package weights

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
)

// Target says which backend of which resource is meant.
type Target struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Split     string `json:"split"`
	Backend   string `json:"backend"`
}

// resources are those that carry a policy, by their kinds.
var resources = map[string]string{
	"TrafficExtension": "trafficextensions",
	"WasmPlugin":       "wasmplugins",
}

// Check refuses a target that lacks something.
func (t Target) Check() error {
	if _, ok := resources[t.Kind]; !ok {
		return fmt.Errorf("kind is %q: write TrafficExtension or WasmPlugin", t.Kind)
	}
	for _, field := range [][2]string{{"namespace", t.Namespace}, {"name", t.Name}, {"split", t.Split}, {"backend", t.Backend}} {
		if field[1] == "" {
			return fmt.Errorf("%s is missing: it says which backend of which resource is meant", field[0])
		}
	}
	return nil
}

// String names the backend, for people.
func (t Target) String() string {
	return fmt.Sprintf("backend %s of split %s in %s %s/%s", t.Backend, t.Split, t.Kind, t.Namespace, t.Name)
}

// Read gives the resource as it is now.
func (t Target) Read(ctx context.Context, client dynamic.Interface) (*unstructured.Unstructured, error) {
	resource, err := t.in(client).Get(ctx, t.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", t, err)
	}
	return resource, nil
}

// Edit changes a resource that was just read, and says whether there is anything to write.
type Edit func(resource *unstructured.Unstructured) (bool, error)

// Change reads the resource, edits it, and writes it. If somebody else has written meanwhile it begins again.
func (t Target) Change(ctx context.Context, client dynamic.Interface, edit Edit) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		resource, err := t.Read(ctx, client)
		if err != nil {
			return err
		}
		isChanged, err := edit(resource)
		if err != nil || !isChanged {
			return err
		}
		_, err = t.in(client).Update(ctx, resource, metav1.UpdateOptions{FieldManager: "narrows"})
		return err
	})
}

// Of finds the backend in a resource.
func (t Target) Of(resource *unstructured.Unstructured) (Backend, error) {
	backend, err := Find(resource.Object, t.Split, t.Backend)
	if err != nil {
		return Backend{}, fmt.Errorf("%s %s/%s: %w", t.Kind, t.Namespace, t.Name, err)
	}
	return backend, nil
}

func (t Target) in(client dynamic.Interface) dynamic.ResourceInterface {
	resource := schema.GroupVersionResource{Group: "extensions.istio.io", Version: "v1alpha1", Resource: resources[t.Kind]}
	return client.Resource(resource).Namespace(t.Namespace)
}
