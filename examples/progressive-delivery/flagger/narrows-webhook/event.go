package main

import (
	"regexp"
	"strconv"
	"strings"
)

// payload is what Flagger posts to a webhook of type event.
type payload struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// whole is everything, in Flagger's parts.
const whole = 100

// order is what an event asks for.
type order struct {
	// weight of the canary, in parts of the whole.
	weight int64
	// begins says that a new version begins.
	begins bool
}

// advance is how Flagger says a weight. That of the primary is what the canary does not have.
var advance = regexp.MustCompile(`^Advance \S+ (canary|primary) weight (\d+)$`)

// orderOf reads the sentence of an event: no field of it has the weight. Most events ask for nothing. Where Flagger
// says what it will do, it does it next; where it says what it has done, that was a moment ago.
func orderOf(message string) (order, bool) {
	if found := advance.FindStringSubmatch(message); found != nil {
		weight, err := strconv.ParseInt(found[2], 10, 64)
		if err != nil || weight > whole {
			return order{}, false
		}
		if found[1] == "primary" {
			weight = whole - weight
		}
		return order{weight: weight}, true
	}
	switch {
	case strings.HasPrefix(message, "New revision detected! "):
		return order{begins: true}, true
	case message == "Routing all traffic to primary",
		strings.HasPrefix(message, "Promotion completed! "),
		strings.HasPrefix(message, "Canary failed! "):
		return order{}, true
	// The canary is the only version that is well.
	case strings.HasPrefix(message, "Promotion of ") && strings.Contains(message, " failed, primary not ready: "):
		return order{weight: whole}, true
	}
	return order{}, false
}
