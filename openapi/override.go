package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/routeauth"
)

// overrideName is the extension that says a requirement. Names of other fields
// are case-sensitive, but what this one is meant for is never in doubt.
const overrideName = "x-routeauth"

// override is the x-routeauth of an operation or a path item.
type override struct {
	value value
	whose string // "its" or "its path item's"; empty where there is none
}

// readOverride returns the x-routeauth among some fields. Of several, the one in
// small letters wins.
func readOverride(fields map[string]value, whose string) override {
	if v, found := fields[overrideName]; found {
		return override{v, whose}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if strings.EqualFold(name, overrideName) {
			return override{fields[name], whose}
		}
	}
	return override{}
}

func (o override) isThere() bool { return o.whose != "" }

// requirement returns the requirement that it says.
func (o override) requirement() (routeauth.Requirement, error) {
	for _, r := range []routeauth.Requirement{routeauth.Mandatory, routeauth.Optional, routeauth.Public} {
		if o.value.text() == r.String() {
			return r, nil
		}
	}
	return routeauth.Mandatory, fmt.Errorf("%s x-routeauth is %s: write mandatory, optional or public", o.whose, o.value.describe())
}
