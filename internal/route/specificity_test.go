package route_test

import (
	"regexp"
	"strings"
	"testing"

	"example.com/routeauth/internal/route"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, text string) route.Pattern {
	t.Helper()
	p, err := route.ParsePattern(text)
	require.NoError(t, err, text)
	return p
}

func inverse(r route.Relation) route.Relation {
	switch r {
	case route.MoreSpecific:
		return route.MoreGeneral
	case route.MoreGeneral:
		return route.MoreSpecific
	}
	return r
}

// Rule 13, precedence.
func TestPatternsCompareAsTheRuleSays(t *testing.T) {
	const (
		disjoint, overlapping, equivalent                = route.Disjoint, route.Overlapping, route.Equivalent
		specific, general                 route.Relation = route.MoreSpecific, route.MoreGeneral
	)
	for _, c := range []struct {
		p, q string
		want route.Relation
	}{
		// Methods: one, GET with HEAD, none.
		{"GET /", "GET /", equivalent},
		{"GET /", "POST /", disjoint},
		{"GET /", "/", specific},
		{"POST /", "/", specific},
		{"HEAD /", "GET /", specific},
		{"HEAD /", "/", specific},
		{"HEAD /", "POST /", disjoint},
		{"POST /", "/a", overlapping},
		{"POST /a", "/", specific},
		{"GET /a", "HEAD /", overlapping},
		{"GET /{x}", "/a", overlapping},
		{"GET /{x}", "POST /a", disjoint},
		// Whole segments.
		{"/a", "/a", equivalent},
		{"/a", "/%61", equivalent},
		{"/a", "/b", disjoint},
		{"/a", "/{x}", specific},
		{"/{x}", "/{y}", equivalent},
		{"/a", "/a/b", disjoint},
		{"/a/{x}", "/{x}/b", overlapping},
		{"/a/{x}", "/b/{x}", disjoint},
		{"/a/{x}/c", "/{x}/b/d", disjoint},
		// Below.
		{"/", "/{x...}", equivalent},
		{"/a/", "/a/{x...}", equivalent},
		{"/a", "/", specific},
		{"/a", "/a/", disjoint},
		{"/a/b", "/a/", specific},
		{"/{x}", "/", specific},
		{"/a/", "/", specific},
		{"/a/", "/{x}/", specific},
		{"/a/", "/{x}/b", overlapping},
		{"/a/b/", "/{x}/", specific},
		{"/{x}/b/", "/a/", overlapping},
		// The end.
		{"/{$}", "/", specific},
		{"/{$}", "/{x}", disjoint},
		{"/{$}", "/%2F", disjoint},
		{"/a/{$}", "/a/", specific},
		{"/a/{$}", "/a", disjoint},
		{"/a/{$}", "/{x}/{$}", specific},
		{"/a/{$}", "/{x}/", specific},
		{"/{x}/{$}", "/a/", overlapping},
		// Mixed segments.
		{"/{x}.json", "/{x}", specific},
		{"/{x}.json", "/{y}.json", equivalent},
		{"/{x}.json", "/{x}.xml", disjoint},
		{"/{x}.json", "/a.json", general},
		{"/{x}.json", "/.json", disjoint},
		{"/{x}.json", "/{x}n", specific},
		{"/{x}.json", "/v{x}", overlapping},
		{"/{x}.json", "/v{x}.json", general},
		{"/{x}.json", "/{x}.{y}", specific},
		{"/{x}-{y}", "/{x}.{y}", overlapping},
		{"/{x}-{y}", "/a{x}", overlapping},
		{"/{x}-{y}.json", "/{x}.json", specific},
		{"/{x}{y}", "/{x}", specific},
		{"/{x}{y}", "/{x}{y}{z}", general},
		{"/{x}{y}", "/{x}.{y}", general},
		{"/{x}{y}{z}", "/{x}.{y}", general},
		{"/{x}{y}{z}{w}", "/{x}.{y}", overlapping},
		{"/{x}{y}", "/a", disjoint},
		{"/{x}{y}", "/ab", general},
		{"/a{x}", "/{x}a", overlapping},
		{"/a{x}a", "/a", disjoint},
		{"/a{x}a", "/aa", disjoint},
		{"/ab{x}", "/a{x}", specific},
		{"/{x}aba{y}", "/{x}ab{y}", specific},
		{"/{x}ab{y}", "/{x}b{y}a{z}", overlapping},
		{"/{x}\x01\x02{y}", "/{x}\x01{y}", specific}, // with any text
		// {name...} in the middle.
		{"/{x...}/a", "/{y...}/a", equivalent},
		{"/{x...}/a", "/a", disjoint},
		{"/{x...}/a", "/b/a", general},
		{"/{x...}/a", "/b/c/a", general},
		{"/{x...}/a", "/b/c/{x}", overlapping},
		{"/{x...}/a", "/{x}/a", general},
		{"/{x...}/a", "/{x}/{y}", overlapping},
		{"/{x...}/a", "/", specific},
		{"/{x...}/a", "/{x...}/{y...}", specific},
		{"/{x...}/{y...}", "/", specific},
		{"/{x...}/a", "/a/{x...}", overlapping},
		{"/a/{x...}/a", "/{x...}/a", specific},
		{"/{x...}/{y...}/a", "/{x...}/a", specific},
		{"/{x...}/{y}/a", "/{x...}/a", specific},
		{"/{x...}/a/{y}", "/{x...}/a", overlapping},
		{"/{x...}/a/{y}", "/{x...}/b", overlapping},
		{"/{x...}/a/b", "/{x...}/b/b", disjoint},
		{"/{x...}/{$}", "/a/{$}", general},
		{"/{x...}/{$}", "/{$}", disjoint},
		{"/a/{x...}/b/{y...}/c", "/a/{x...}/c", specific},
		{"/a/{x...}/b/{y...}/c", "/a/b/b/b/c", general},
		{"/a/{x...}/b/{y...}/c", "/a/b/c", disjoint},
		// It matches all that the other one does, and yet none is more specific.
		{"/{a}/{b...}", "/{b...}/{a}", overlapping},
		{"/{a}{b}", "/{x}", specific},
	} {
		t.Run(c.p+" and "+c.q, func(t *testing.T) {
			p, q := parse(t, c.p), parse(t, c.q)
			assert.Equal(t, c.want.String(), p.Compare(q).String())
			assert.Equal(t, inverse(c.want).String(), q.Compare(p).String(), "the other way round")
		})
	}
}

// The values that stand for wildcards where a pattern is read as a path.
const (
	wildValue  = "\ue001" // only {name} and {name...} match it
	restValue  = "\ue002" // only {name...} matches it
	mixedValue = "\ue003" // a wildcard in a mixed segment
)

// readAsPath is a pattern without a method, read as a path.
func readAsPath(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		switch {
		case segment == "{$}":
			segments[i] = ""
		case strings.HasSuffix(segment, "...}"):
			segments[i] = restValue
		case wildcard.FindString(segment) == segment && segment != "":
			segments[i] = wildValue
		default:
			segments[i] = wildcard.ReplaceAllString(decodeSegment(segment), mixedValue)
		}
	}
	return strings.Join(segments, "/")
}

// Rule 13's words, written as regular expressions, for all pairs of patterns of
// up to three segments.
func TestAPatternIsMoreSpecificIfTheOtherMatchesItReadAsAPath(t *testing.T) {
	texts := shortPatterns(3)
	var patterns []route.Pattern
	var paths []string
	var expressions []*regexp.Regexp
	for _, text := range texts {
		patterns = append(patterns, parse(t, text))
		if strings.HasSuffix(text, "/") {
			text += "{all...}"
		}
		paths = append(paths, readAsPath(text))
		mixed, wild := "[^/"+wildValue+restValue+"]+", "[^/"+restValue+"]+"
		expressions = append(expressions, regexp.MustCompile("^"+pathExpression(text, mixed, wild, "(?:[^/]+/)*[^/]*")+"$"))
	}
	for i, p := range patterns {
		for j, q := range patterns {
			specific, general := expressions[j].MatchString(paths[i]), expressions[i].MatchString(paths[j])
			var want []route.Relation
			switch {
			case specific && general:
				want = []route.Relation{route.Equivalent}
			case specific:
				want = []route.Relation{route.MoreSpecific}
			case general:
				want = []route.Relation{route.MoreGeneral}
			default:
				want = []route.Relation{route.Overlapping, route.Disjoint}
			}
			if got := p.Compare(q); got != want[0] && got != want[len(want)-1] {
				require.Fail(t, "another relation", "%s and %s: %v, not %v", p, q, got, want)
			}
		}
	}
}

// A relation says something about requests. What two patterns of three segments
// both match begins with a path of seven.
func TestRelationsHoldForRequests(t *testing.T) {
	texts := shortPatterns(3)
	m := newModel(t, texts)
	paths := shortPaths(7, "a", "ab")
	matched := make([][]bool, len(texts))
	for i := range m {
		matched[i] = make([]bool, len(paths))
		for k, path := range paths {
			matched[i][k] = m[i].matches("GET", decodePath(path))
		}
	}
	for i := range m {
		for j := range m {
			both, only := false, false
			for k := range paths {
				both = both || matched[i][k] && matched[j][k]
				only = only || matched[i][k] && !matched[j][k]
			}
			relation := m[i].Compare(m[j].Pattern)
			ok := true
			switch relation {
			case route.Disjoint:
				ok = !both
			case route.Overlapping:
				ok = both
			case route.Equivalent, route.MoreSpecific:
				ok = !only
			}
			if !ok {
				require.Fail(t, "a relation that does not hold", "%s is %s to %s", texts[i], relation, texts[j])
			}
		}
	}
}

func TestRelationsAreAnOrder(t *testing.T) {
	var patterns []route.Pattern
	for i, text := range shortPatterns(3) {
		patterns = append(patterns, parse(t, []string{"", "GET ", "HEAD ", "POST "}[i%4]+text))
	}
	relations := make([][]route.Relation, len(patterns))
	for i, p := range patterns {
		relations[i] = make([]route.Relation, len(patterns))
		for j, q := range patterns {
			relations[i][j] = p.Compare(q)
		}
	}
	atLeast := func(i, j int) bool {
		return relations[i][j] == route.MoreSpecific || relations[i][j] == route.Equivalent
	}
	for i, p := range patterns {
		require.Equal(t, route.Equivalent, relations[i][i], "reflexive: %s", p)
		for j, q := range patterns {
			if relations[j][i] != inverse(relations[i][j]) {
				require.Fail(t, "no inverse", "%s and %s", p, q)
			}
			if !atLeast(i, j) {
				continue
			}
			for k, r := range patterns {
				if atLeast(j, k) && !atLeast(i, k) {
					require.Fail(t, "not transitive", "%s, %s, %s", p, q, r)
				}
			}
		}
	}
}

// A search that tried every way in which several {name...} can share a path
// would not come to an end here.
func TestComparingTakesNoExponentialTime(t *testing.T) {
	many := strings.Repeat("/{x...}/a", 30)
	assert.Equal(t, route.Disjoint, parse(t, many+"/b").Compare(parse(t, many+"/c")))
	assert.Equal(t, route.Overlapping, parse(t, many+"/b/{y}").Compare(parse(t, many+"/{z}/c")))
}

func TestRelationsHaveNames(t *testing.T) {
	assert.Equal(t, "more specific", route.MoreSpecific.String())
	assert.Equal(t, "unknown relation", route.Relation(9).String())
}
