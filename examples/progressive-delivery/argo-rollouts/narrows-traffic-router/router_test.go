package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/plugin/rpc"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	"github.com/hashicorp/go-plugin"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	k8stesting "k8s.io/client-go/testing"
)

const config = `{"kind": "TrafficExtension", "name": "stock-split", "split": "stock", "backend": "canary"}`

const extension = `{
  "apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension",
  "metadata": {"name": "stock-split", "namespace": "books"},
  "spec": {"phase": "STATS", "wasm": {"url": "oci://a", "pluginConfig": {
    "filter": "canary-split",
    "splits": [{"name": "stock", "rollback": {"errors": "enforce"},
                "backends": [{"name": "stable", "baseline": true}, {"name": "canary", "authority": "stock-canary", "weight": 0}]}]}}}}`

// cluster has one resource, and counts what is written.
type cluster struct {
	*fake.FakeDynamicClient
	writes int
}

func start(t *testing.T) *cluster {
	t.Helper()
	resource := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(extension), resource); err != nil {
		t.Fatal(err)
	}
	kinds := map[schema.GroupVersionResource]string{
		{Group: "extensions.istio.io", Version: "v1alpha1", Resource: "trafficextensions"}: "TrafficExtensionList",
	}
	started := &cluster{FakeDynamicClient: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, resource)}
	started.PrependReactor("update", "*", func(k8stesting.Action) (bool, runtime.Object, error) {
		started.writes++
		return false, nil, nil
	})
	return started
}

func rollout(plugin string) *v1alpha1.Rollout {
	rollout := &v1alpha1.Rollout{}
	rollout.Namespace = "books"
	rollout.Spec.Strategy.Canary = &v1alpha1.CanaryStrategy{TrafficRouting: &v1alpha1.RolloutTrafficRouting{
		Plugins: map[string]json.RawMessage{Name: json.RawMessage(plugin)},
	}}
	return rollout
}

// state is the weight, the generation and the version that the resource has.
func (c *cluster) state(t *testing.T) (int64, any, string) {
	t.Helper()
	target, err := targetOf(rollout(config))
	if err != nil {
		t.Fatal(err)
	}
	resource, err := target.Read(context.Background(), c)
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
	return weight, generation, resource.GetAnnotations()[Version]
}

func (c *cluster) has(t *testing.T, weight int64, generation any, version string, writes int) {
	t.Helper()
	if foundWeight, foundGeneration, foundVersion := c.state(t); foundWeight != weight || foundGeneration != generation || foundVersion != version {
		t.Errorf("weight %d, generation %v, version %q; not %d, %v, %q", foundWeight, foundGeneration, foundVersion, weight, generation, version)
	}
	if c.writes != writes {
		t.Errorf("%d writes, not %d", c.writes, writes)
	}
}

func accepted(t *testing.T, said types.RpcError) {
	t.Helper()
	if said.HasError() {
		t.Error(said)
	}
}

func refused(t *testing.T, said types.RpcError, why string) {
	t.Helper()
	if !strings.Contains(said.Error(), why) {
		t.Errorf("%q does not say %q", said.Error(), why)
	}
}

func TestTheStepsOfARollout(t *testing.T) {
	cluster, router := start(t), &Router{}
	router.client = cluster
	rollout := rollout(config)
	// Nothing is new: the stable version is the only one.
	accepted(t, router.UpdateHash(rollout, "one", "one", nil))
	accepted(t, router.SetWeight(rollout, 0, nil))
	cluster.has(t, 0, nil, "", 0)
	// A version comes, and rises. Looking again writes nothing.
	for range 2 {
		accepted(t, router.UpdateHash(rollout, "two", "one", nil))
		cluster.has(t, 0, int64(2), "two", 1)
	}
	for range 2 {
		accepted(t, router.SetWeight(rollout, 30, nil))
		accepted(t, router.UpdateHash(rollout, "two", "one", nil))
		cluster.has(t, 30, int64(2), "two", 2)
	}
	// It is taken back, and tried again as it is: the same version keeps its generation.
	accepted(t, router.SetWeight(rollout, 0, nil))
	accepted(t, router.UpdateHash(rollout, "two", "one", nil))
	accepted(t, router.SetWeight(rollout, 10, nil))
	cluster.has(t, 10, int64(2), "two", 4)
	// Another one in its place begins at 0, whatever the weight was.
	accepted(t, router.UpdateHash(rollout, "three", "one", nil))
	cluster.has(t, 0, int64(3), "three", 5)
}

func TestAWeightIsReadBack(t *testing.T) {
	cluster, router := start(t), &Router{}
	router.client = cluster
	for desired, expected := range map[int32]types.RpcVerified{0: types.Verified, 10: types.NotVerified} {
		verified, said := router.VerifyWeight(rollout(config), desired, nil)
		accepted(t, said)
		if verified != expected {
			t.Errorf("%d: %v", desired, verified)
		}
	}
}

func TestAWeightIsAPartOfTheWhole(t *testing.T) {
	cluster, router := start(t), &Router{}
	router.client = cluster
	parts := rollout(config)
	most := int32(200)
	parts.Spec.Strategy.Canary.TrafficRouting.MaxTrafficWeight = &most
	accepted(t, router.SetWeight(parts, 20, nil))
	cluster.has(t, 10, nil, "", 1)
	refused(t, router.SetWeight(parts, 25, nil), "write weightTotal: 200 into the split")
	cluster.has(t, 10, nil, "", 1)
}

func TestAWriteOfSomebodyElseIsNotLost(t *testing.T) {
	cluster, router := start(t), &Router{}
	router.client = cluster
	conflicts := 2
	cluster.PrependReactor("update", "*", func(action k8stesting.Action) (bool, runtime.Object, error) {
		if conflicts == 0 {
			return false, nil, nil
		}
		conflicts--
		return true, nil, errors.NewConflict(action.GetResource().GroupResource(), "stock-split", nil)
	})
	accepted(t, router.SetWeight(rollout(config), 10, nil))
	cluster.has(t, 10, nil, "", 1)
}

func TestWhatIsNotSupportedIsRefused(t *testing.T) {
	cluster, router := start(t), &Router{}
	router.client = cluster
	refused(t, router.SetHeaderRoute(rollout(config), &v1alpha1.SetHeaderRoute{}), "setHeaderRoute is not supported")
	refused(t, router.SetMirrorRoute(rollout(config), &v1alpha1.SetMirrorRoute{}), "setMirrorRoute is not supported")
	refused(t, router.SetWeight(rollout(config), 10, make([]v1alpha1.WeightDestination, 1)), "experiment")
	for plugin, why := range map[string]string{
		`{"kind": "VirtualService", "name": "a", "split": "a", "backend": "a"}`:                                 "TrafficExtension or WasmPlugin",
		`{"kind": "TrafficExtension", "name": "stock-split", "split": "stock"}`:                                 "backend is missing",
		`{"kind": "TrafficExtension", "name": "stock-split", "split": "stock", "backend": "canary", "wait": 1}`: "unknown field",
		`{"kind": "TrafficExtension", "name": "absent", "split": "stock", "backend": "canary"}`:                 "not found",
		`{"kind": "TrafficExtension", "name": "stock-split", "split": "stocks", "backend": "canary"}`:           `there is no split "stocks"`,
		``: Name,
	} {
		refused(t, router.SetWeight(rollout(plugin), 10, nil), why)
		refused(t, router.UpdateHash(rollout(plugin), "two", "one", nil), why)
		_, said := router.VerifyWeight(rollout(plugin), 10, nil)
		refused(t, said, why)
	}
	refused(t, router.SetWeight(&v1alpha1.Rollout{}, 10, nil), "no trafficRouting")
	cluster.has(t, 0, nil, "", 0)
}

// What Argo's controller does: it speaks with another process, by go-plugin.
func TestTheControllerReachesIt(t *testing.T) {
	cluster := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reattach, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	go plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugins(&Router{client: cluster}),
		Test:            &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: reattach, CloseCh: closed},
	})
	var address *plugin.ReattachConfig
	select {
	case address = <-reattach:
	case <-time.After(10 * time.Second):
		t.Fatal("the plugin does not serve")
	}
	host := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake,
		Plugins:         map[string]plugin.Plugin{"RpcTrafficRouterPlugin": &rpc.RpcTrafficRouterPlugin{}},
		Reattach:        address,
	})
	client, err := host.Client()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := client.Dispense("RpcTrafficRouterPlugin")
	if err != nil {
		t.Fatal(err)
	}
	remote := raw.(rpc.TrafficRouterPlugin)
	rollout := rollout(config)
	if name := remote.Type(); name != Name {
		t.Errorf("it calls itself %q", name)
	}
	accepted(t, remote.UpdateHash(rollout, "two", "one", nil))
	accepted(t, remote.SetWeight(rollout, 10, nil))
	accepted(t, remote.RemoveManagedRoutes(rollout))
	verified, said := remote.VerifyWeight(rollout, 10, nil)
	accepted(t, said)
	if verified != types.Verified {
		t.Errorf("the weight is not verified: %v", verified)
	}
	refused(t, remote.SetHeaderRoute(rollout, &v1alpha1.SetHeaderRoute{}), "not supported")
	cluster.has(t, 10, int64(2), "two", 2)
	cancel()
	<-closed
}
