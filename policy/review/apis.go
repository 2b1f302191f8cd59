package review

import (
	"strings"
	"sync"

	"rolecall/assets"
)

// apiNames are names of clients and operations that IAM calls otherwise.
type apiNames struct {
	services map[string][]string // by what is written, in lower case
	actions  map[string][]string // by service:operation, in lower case
}

// knownAPIs is read when the first unknown name is met.
var knownAPIs = sync.OnceValue(func() *apiNames {
	names := &apiNames{services: map[string][]string{}, actions: map[string][]string{}}
	eachLine(assets.ReviewAPIs, func(fields []string) {
		if fields[0] == "service" {
			names.services[fields[1]] = strings.Fields(fields[2])
			return
		}
		var actions []string
		for name := range strings.FieldsSeq(fields[3]) {
			actions = append(actions, inService(fields[1], name))
		}
		names.actions[strings.ToLower(fields[1]+":"+fields[2])] = actions
	})
	return names
})

// inService completes an action's name, unless it has a service of its own.
func inService(service, name string) string {
	if strings.Contains(name, ":") {
		return name
	}
	return service + ":" + name
}
