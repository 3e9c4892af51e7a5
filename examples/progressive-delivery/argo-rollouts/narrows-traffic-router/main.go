// Command narrows-traffic-router is a plugin of Argo Rollouts: what the steps of a Rollout say becomes the weight of
// a backend in a policy of canary-split. Argo's controller starts it, and speaks with it.
package main

import (
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/plugin/rpc"
	"github.com/hashicorp/go-plugin"
)

// handshake is what Argo's controller expects of a traffic router.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "ARGO_ROLLOUTS_RPC_PLUGIN",
	MagicCookieValue: "trafficrouter",
}

func plugins(router *Router) map[string]plugin.Plugin {
	return map[string]plugin.Plugin{"RpcTrafficRouterPlugin": &rpc.RpcTrafficRouterPlugin{Impl: router}}
}

func main() {
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins(&Router{})})
}
