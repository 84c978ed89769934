package route_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"example.com/routeauth/internal/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 13: an overlap is an error only where the patterns ask for different
// things.
func TestPatternsThatOverlapMustAskForTheSame(t *testing.T) {
	for _, c := range []struct {
		p, q     string
		conflict bool
	}{
		{"/files", " /files", true},
		{"GET /files", "GET\t/files", true},
		{"/files", "/fil%65s", true},
		{"/{a}", "/{b}", true},
		{"/a/", "/a/{rest...}", true},
		{"/a/{x}", "/{x}/b", true},
		{"GET /{x}", "/files", true},
		{"HEAD /{x}", "GET /files", true},
		{"POST /", "/files", true},
		{"/{x}.json", "/{y}.json", true},
		{"/{x}.json", "/v{x}", true},
		{"/{x}-{y}", "/{x}.{y}", true},
		{"/{x}.json/a", "/v1.json/{y}", true},
		{"/{x...}/a", "/b/{y}", true},
		{"/{x...}/a", "/a/{x...}", true},
		{"/v2/{x...}/a/{y}", "/v2/{x...}/b", true},

		{"/files", "/{id}", false},
		{"/files", "GET /files", false},
		{"/files", "/files/", false},
		{"/files/", "/files/{$}", false},
		{"/{$}", "/%2F", false},
		{"/a/{x}", "/b/{x}", false},
		{"/{x}.json", "/{x}.xml", false},
		{"/{x}.json", "/{x}", false},
		{"/{x}.json", "/a.json", false},
		{"/{x}.json/a", "/v1.xml/{y}", false},
		{"/{x...}/a", "/b/a", false},
		{"/{x...}/a", "/{x...}/b", false},
		{"GET /{x}", "POST /files", false},
	} {
		for _, pair := range [][2]string{{c.p, c.q}, {c.q, c.p}} {
			t.Run(pair[0]+" and "+pair[1], func(t *testing.T) {
				table, errs := route.New([]route.Route{{pair[0], "mandatory"}, {pair[1], "optional"}}, nil)
				if c.conflict {
					require.Nil(t, table)
					require.Len(t, errs, 1)
					assert.Contains(t, errs[0].Error(), fmt.Sprintf("%q (mandatory)", pair[0]))
					assert.Contains(t, errs[0].Error(), fmt.Sprintf("%q (optional)", pair[1]))
					assert.Contains(t, errs[0].Error(), "conflicts")
					assert.NotContains(t, errs[0].Error(), "\n", "one line for one mistake")
				} else {
					require.Empty(t, errs)
				}
				_, errs = route.New(routesOf(pair[:]...), nil)
				require.Empty(t, errs, "both ask for the same")
			})
		}
	}
}

func TestAConflictIsExplainedByRequests(t *testing.T) {
	for _, c := range []struct{ p, q, want string }{
		{"/a/{id}", "/{id}/b", "both match GET /a/b, and neither is more specific: only the first matches GET /a/x, only the second matches GET /x/b; give both the same requirement, or change one"},
		{"/a", "GET /{x}", "both match GET /a, and neither is more specific: only the first matches POST /a, only the second matches GET /x; give both the same requirement, or change one"},
		{"/{x}", "/{y}", "both match the same requests; remove one, or give both the same requirement"},
		{"/{x}/{y}", "/{x...}/a", "both match GET /x/a, and neither is more specific: only the first matches GET /x/x, only the second matches GET /x/x/a; give both the same requirement, or change one"},
		{"/{b...}/{a}", "/{a}/{b...}", "both match GET /x/x, and neither is more specific: only the second matches GET /x/; give both the same requirement, or change one"},
		{"/x/{id}", "/{id}/y", "both match GET /x/y, and neither is more specific: only the first matches GET /x/x, only the second matches GET /y/y; give both the same requirement, or change one"},
	} {
		_, errs := route.New([]route.Route{{c.p, "mandatory"}, {c.q, "optional"}}, nil)
		require.Len(t, errs, 1)
		assert.Equal(t, fmt.Sprintf("route %q (mandatory) conflicts with route %q (optional): %s", c.p, c.q, c.want), errs[0].Error())
	}
}

var (
	conflictMessage = regexp.MustCompile(`^route ("[^"]*") \(\w+\) conflicts with route ("[^"]*") \(\w+\): both match `)
	commonRequest   = regexp.MustCompile(`both match (\S+ /\S*),`)
	firstRequest    = regexp.MustCompile(`only the first matches (\S+ /[^\s,;]*)`)
	secondRequest   = regexp.MustCompile(`only the second matches (\S+ /[^\s,;]*)`)
)

// requireMatch fails if a message names a request that the patterns do not match
// as it says, and returns whether it names one.
func requireMatch(t testing.TB, message string, request *regexp.Regexp, first, second string, byFirst, bySecond bool) bool {
	parts := request.FindStringSubmatch(message)
	if parts == nil {
		return false
	}
	method, path, _ := strings.Cut(parts[1], " ")
	for pattern, want := range map[string]bool{first: byFirst, second: bySecond} {
		_, found := newTable(t, pattern).Match(method, path)
		require.Equal(t, want, found, "%q in %s", pattern, message)
	}
	return true
}

// Rule 14: all conflicts of tables of many patterns are found, and told in few
// messages whose examples are true.
func TestEachPatternInConflictIsNamed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	from := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	form := func() string { // of a pattern, for any text
		form := from("", "", "GET ", "HEAD ", "PUT ", "POST ")
		for range 1 + random.IntN(4) {
			form += "/" + from("text", "text", "text", "text", "{x}", "{x}", "text{x}", "{x}text", "text{x}text", "{x}text{y}", "{x...}")
		}
		return form + from("", "", "", "/", "/{$}")
	}
	examples := 0
	for i := range 400 {
		routes, forms := make([]route.Route, 2+random.IntN(40)), make([]string, 40)
		if i%20 == 0 { // so many of few forms that texts are hashed
			routes, forms = make([]route.Route, 200), make([]string, 4)
		}
		for i := range forms {
			forms[i] = form()
		}
		for i := range routes {
			pattern := from(forms...)
			for strings.Contains(pattern, "text") {
				pattern = strings.Replace(pattern, "text", from("a", "b", "c", "ac", "cab"), 1)
			}
			// Few ask for something else, so that not all are in conflict.
			routes[i] = route.Route{Pattern: pattern, Requirement: []string{"optional", "mandatory"}[min(1, random.IntN(12))]}
		}
		slices.SortFunc(routes, func(a, b route.Route) int { return strings.Compare(a.Pattern, b.Pattern) })
		routes = slices.CompactFunc(routes, func(a, b route.Route) bool { return a.Pattern == b.Pattern })

		var parsed []route.Pattern
		for _, r := range routes {
			parsed = append(parsed, parse(t, r.Pattern))
		}
		want := make(map[string]bool)
		for i, p := range parsed {
			for j, q := range parsed {
				relation := p.Compare(q)
				if routes[i].Requirement != routes[j].Requirement && (relation == route.Equivalent || relation == route.Overlapping) {
					want[fmt.Sprintf("%q", p)] = true
				}
			}
		}
		_, errs := route.New(routes, nil)
		named, subjects := make(map[string]bool), make(map[string]bool)
		for _, err := range errs {
			parts := conflictMessage.FindStringSubmatch(err.Error())
			require.NotNil(t, parts, err)
			require.False(t, subjects[parts[1]], "the subject of two messages")
			named[parts[1]], named[parts[2]], subjects[parts[1]] = true, true, true

			first, second := strings.Trim(parts[1], `"`), strings.Trim(parts[2], `"`)
			if requireMatch(t, err.Error(), commonRequest, first, second, true, true) {
				examples++
			}
			requireMatch(t, err.Error(), firstRequest, first, second, true, false)
			requireMatch(t, err.Error(), secondRequest, first, second, false, true)
		}
		require.Equal(t, want, named, "%v", routes)

		slices.Reverse(routes)
		_, again := route.New(routes, nil)
		require.Equal(t, errs, again, "in another order")
	}
	assert.Greater(t, examples, 200)
}

// Rule 14: the texts of a pattern are looked at in other places for each form
// that it overlaps with.
func TestConflictsAreFoundWhereverTextsAgree(t *testing.T) {
	var routes []route.Route
	for i := range 50 {
		routes = append(routes, route.Route{fmt.Sprintf("/a%d/b%d/{x}", i, i), "mandatory"})
		for _, form := range []string{"/a%d/{x}/c%d", "/{x}/b%d/d%d", "/{x...}/b%d/e%d"} {
			routes = append(routes, route.Route{fmt.Sprintf(form, i, i), "optional"})
		}
	}
	_, errs := route.New(routes, nil)
	text := fmt.Sprint(errs)
	for _, r := range routes {
		assert.Contains(t, text, fmt.Sprintf("%q", r.Pattern))
	}
}

// Rule 14: a pattern that conflicts with many is one mistake, and so is each of
// the many where they could be it.
func TestARouteIsTheSubjectOfOneConflict(t *testing.T) {
	routes := []route.Route{{"/{x}/special", "optional"}}
	for i := range 300 {
		routes = append(routes, route.Route{Pattern: fmt.Sprintf("/names%d/{id}", i), Requirement: "mandatory"})
	}
	_, errs := route.New(routes, nil)
	require.Len(t, errs, 300)
	for _, err := range errs {
		assert.Contains(t, err.Error(), `conflicts with route "/{x}/special"`)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// withConflicts makes n pairs of a table's routes conflicts.
func withConflicts(routes []route.Route, n int) []route.Route {
	for i := range n {
		routes[i] = route.Route{Pattern: fmt.Sprintf("PUT /other/%d/{id}", i), Requirement: "mandatory"}
		routes[len(routes)-1-i] = route.Route{Pattern: fmt.Sprintf("PUT /other/%d/{name}", i), Requirement: "optional"}
	}
	return routes
}

// Rule 14: the work grows with the number of routes and mistakes. Were it to
// grow with its square, ten times the routes would need a hundred times the
// memory.
func TestTheWorkGrowsWithRoutesAndMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		routes func(n int) []route.Route
		errs   int // for 10,000 routes
		limit  uint64
	}{
		"accepted":      {manyRoutes, 0, 20e6},
		"500 conflicts": {func(n int) []route.Route { return withConflicts(manyRoutes(n), n/20) }, 500, 50e6},
		"all the same pattern": {func(n int) []route.Route {
			routes := make([]route.Route, n)
			for i := range routes {
				routes[i] = route.Route{Pattern: fmt.Sprintf("/{x%d}", i), Requirement: []string{"mandatory", "optional"}[i%2]}
			}
			return routes
		}, 9999, 50e6},
		"each half overlaps the other": {func(n int) []route.Route {
			routes := make([]route.Route, n)
			for i := range routes {
				pattern := []string{"/names%d/{id}", "/{id}/names%d"}[i%2]
				routes[i] = route.Route{Pattern: fmt.Sprintf(pattern, i), Requirement: []string{"mandatory", "optional"}[i%2]}
			}
			return routes
		}, 9999, 50e6},
		"verbs": {func(n int) []route.Route {
			routes := make([]route.Route, n)
			for i := range routes {
				routes[i] = route.Route{Pattern: fmt.Sprintf("/things/{id}:verb%d", i), Requirement: []string{"mandatory", "optional"}[i%2]}
			}
			return routes
		}, 0, 20e6},
		"many shapes": {func(n int) []route.Route {
			routes := make([]route.Route, n)
			for i := range routes {
				pattern := fmt.Sprintf("/names%d", i)
				for bit := range 8 {
					pattern += []string{"/{x}", "/a"}[i>>bit&1]
				}
				routes[i] = route.Route{Pattern: pattern, Requirement: []string{"mandatory", "optional"}[i/300%2]}
			}
			return routes
		}, 0, 25e6}, // of nine segments each
		"malformed": {func(n int) []route.Route {
			routes := make([]route.Route, n)
			for i := range routes {
				routes[i] = route.Route{Pattern: fmt.Sprintf("/names%d/:id", i), Requirement: "mandatory"}
			}
			return routes
		}, 10_000, 50e6},
	} {
		t.Run(name, func(t *testing.T) {
			few, many := c.routes(1000), c.routes(10_000)
			var errs []error
			forFew := allocated(func() { _, _ = route.New(few, nil) })
			forMany := allocated(func() { _, errs = route.New(many, nil) })
			assert.Len(t, errs, c.errs)
			assert.Less(t, forMany, c.limit)
			assert.Less(t, forMany, 20*forFew)
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, c := range []struct {
		name   string
		routes []route.Route
		errs   int
	}{
		{"10000 routes", manyRoutes(10_000), 0},
		{"500 conflicts", withConflicts(manyRoutes(10_000), 500), 500},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, errs := route.New(c.routes, nil); len(errs) != c.errs {
					b.Fatal(errs)
				}
			}
		})
	}
}
