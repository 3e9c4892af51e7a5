package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"narrows.local/progressive-delivery/weights"
)

// Name is what Argo's configuration and every Rollout call this plugin.
const Name = "narrows/canary-split"

// Version is the annotation of the resource that says which version its canary is: the hash of the pods' template.
const Version = "narrows/version"

// patience is for one exchange with the API server, with what it has to repeat.
const patience = 10 * time.Second

// Router sets weights in policies. Argo calls it at each look at a Rollout, so it writes only what differs.
type Router struct {
	client dynamic.Interface
}

// InitPlugin connects to the API server, as the controller's service account.
func (r *Router) InitPlugin() types.RpcError {
	config, err := rest.InClusterConfig()
	if err != nil {
		return failed(err)
	}
	r.client, err = dynamic.NewForConfig(config)
	return failed(err)
}

// UpdateHash hears which version is the canary. A new one begins with the weight 0 and a higher generation: what a
// proxy has found out about the version before does not hold for it.
func (r *Router) UpdateHash(rollout *v1alpha1.Rollout, canaryHash, stableHash string, _ []v1alpha1.WeightDestination) types.RpcError {
	if canaryHash == "" || canaryHash == stableHash {
		return types.RpcError{}
	}
	return r.change(rollout, func(target weights.Target, resource *unstructured.Unstructured) (bool, error) {
		annotations := resource.GetAnnotations()
		if annotations[Version] == canaryHash {
			return false, nil
		}
		backend, err := target.Of(resource)
		if err != nil {
			return false, err
		}
		if err := backend.SetWeight(0); err != nil {
			return false, err
		}
		if err := backend.TryAgain(); err != nil {
			return false, err
		}
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[Version] = canaryHash
		resource.SetAnnotations(annotations)
		log.Printf("%s: version %s begins", target, canaryHash)
		return true, nil
	})
}

// SetWeight gives the canary its part of the users.
func (r *Router) SetWeight(rollout *v1alpha1.Rollout, desired int32, additional []v1alpha1.WeightDestination) types.RpcError {
	if len(additional) > 0 {
		return failed(fmt.Errorf("a weight of an experiment is not supported: leave weight out of the experiment's templates"))
	}
	return r.change(rollout, func(target weights.Target, resource *unstructured.Unstructured) (bool, error) {
		backend, err := target.Of(resource)
		if err != nil {
			return false, err
		}
		isThere, weight, err := isAt(backend, rollout, desired)
		if err != nil || isThere {
			return false, err
		}
		if err := backend.SetWeight(weight); err != nil {
			return false, err
		}
		log.Printf("%s: weight %d", target, weight)
		return true, nil
	})
}

// VerifyWeight reads the weight back. It speaks of the resource: a proxy has it a moment later.
func (r *Router) VerifyWeight(rollout *v1alpha1.Rollout, desired int32, _ []v1alpha1.WeightDestination) (types.RpcVerified, types.RpcError) {
	target, err := targetOf(rollout)
	if err != nil {
		return types.NotVerified, failed(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resource, err := target.Read(ctx, r.client)
	if err != nil {
		return types.NotVerified, failed(err)
	}
	backend, err := target.Of(resource)
	if err != nil {
		return types.NotVerified, failed(err)
	}
	isThere, _, err := isAt(backend, rollout, desired)
	if err != nil || !isThere {
		return types.NotVerified, failed(err)
	}
	return types.Verified, types.RpcError{}
}

// SetHeaderRoute is refused: who is on the canary by a header stands in the policy, where it is reviewed.
func (r *Router) SetHeaderRoute(*v1alpha1.Rollout, *v1alpha1.SetHeaderRoute) types.RpcError {
	return failed(fmt.Errorf("setHeaderRoute is not supported: write include or override into the split of the policy"))
}

// SetMirrorRoute is refused: canary-split sends each request to one backend.
func (r *Router) SetMirrorRoute(*v1alpha1.Rollout, *v1alpha1.SetMirrorRoute) types.RpcError {
	return failed(fmt.Errorf("setMirrorRoute is not supported: mirror by a VirtualService of the canary's host"))
}

// RemoveManagedRoutes has nothing to remove: no step has made a route.
func (r *Router) RemoveManagedRoutes(*v1alpha1.Rollout) types.RpcError {
	return types.RpcError{}
}

// Type is the name of this router in Argo's log.
func (r *Router) Type() string {
	return Name
}

func (r *Router) change(rollout *v1alpha1.Rollout, edit func(weights.Target, *unstructured.Unstructured) (bool, error)) types.RpcError {
	target, err := targetOf(rollout)
	if err != nil {
		return failed(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return failed(target.Change(ctx, r.client, func(resource *unstructured.Unstructured) (bool, error) {
		return edit(target, resource)
	}))
}

// targetOf reads what a Rollout says under the name of this plugin.
func targetOf(rollout *v1alpha1.Rollout) (weights.Target, error) {
	target := weights.Target{Namespace: rollout.Namespace}
	strategy := rollout.Spec.Strategy.Canary
	if strategy == nil || strategy.TrafficRouting == nil {
		return target, fmt.Errorf("the Rollout has no trafficRouting of a canary: write one with %s", Name)
	}
	decoder := json.NewDecoder(bytes.NewReader(strategy.TrafficRouting.Plugins[Name]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&target); err != nil {
		return target, fmt.Errorf("trafficRouting.plugins[%q]: %w", Name, err)
	}
	if err := target.Check(); err != nil {
		return target, fmt.Errorf("trafficRouting.plugins[%q]: %w", Name, err)
	}
	return target, nil
}

// isAt says whether the backend has what a step asks for, and what that is in the policy's own parts.
func isAt(backend weights.Backend, rollout *v1alpha1.Rollout, desired int32) (bool, int64, error) {
	most := int64(100)
	if given := rollout.Spec.Strategy.Canary.TrafficRouting.MaxTrafficWeight; given != nil {
		most = int64(*given)
	}
	weight, err := backend.Part(int64(desired), most)
	if err != nil {
		return false, 0, err
	}
	now, err := backend.Weight()
	return err == nil && now == weight, weight, err
}

func failed(err error) types.RpcError {
	if err == nil {
		return types.RpcError{}
	}
	return types.RpcError{ErrorString: err.Error()}
}
