package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/benchmarks"
)

// results are measurements by the subject's name.
type results map[string]measurement

// row is a line of the table of goals.
type row struct {
	what     string
	measured string
	interval string // in which the median lies with a confidence of 95 %
	fastest  string // the fastest round of each side
	goal     string
	met      bool
	allocs   string
}

func (r row) cells() []string {
	verdict := "met"
	if !r.met {
		verdict = "FALLS SHORT"
	}
	return []string{r.what, r.measured, r.interval, r.fastest, r.goal, verdict, r.allocs}
}

// reportGoals prints what was measured beside the goals, and every subject's
// own time below.
func reportGoals(w io.Writer, e effort) error {
	found, err := measureSubjects(e, benchmarks.Subjects())
	if err != nil {
		return err
	}
	rows := goalsOfSubjects(found)
	for _, part := range []func(effort) ([]row, error){goalsOfManyRoutes, goalsOfNewPolicy, goalOfColdCache, goalOfLoopback} {
		more, err := part(e)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}

	var cells [][]string
	for _, r := range rows {
		cells = append(cells, r.cells())
	}
	printTable(w, "Goals", []string{"what", "measured", "95 % confidence", "fastest rounds", "goal", "", "allocations"}, cells)
	if e.picture != "" {
		if err := os.WriteFile(e.picture, []byte(drawRatios(found)), 0o644); err != nil {
			return err
		}
	}
	printTable(w, "Every subject", []string{"subject", "time", "fastest round", "allocations"}, timesOf(found))
	return nil
}

// measureSubjects measures subjects over a base that answers at once.
func measureSubjects(e effort, subjects []benchmarks.Subject) (results, error) {
	var operations []benchmarks.Operation
	for _, subject := range subjects {
		operation, err := subject.RoundTrips(benchmarks.OneResponse())
		if err != nil {
			return nil, err
		}
		operations = append(operations, operation)
	}
	return named(e, subjects, operations)
}

func named(e effort, subjects []benchmarks.Subject, operations []benchmarks.Operation) (results, error) {
	measured, err := measure(e, operations)
	found := make(results)
	for i, m := range measured {
		found[subjects[i].Name] = m
	}
	return found, err
}

func timesOf(found results) (cells [][]string) {
	for _, subject := range benchmarks.Subjects() {
		m := found[subject.Name]
		cells = append(cells, []string{subject.Name, duration(m.time()), duration(m.fastest()), count(m.allocs)})
	}
	return cells
}

func goalsOfSubjects(found results) (rows []row) {
	const url = benchmarks.API + benchmarks.StaticPath
	minimumKey := found[benchmarks.MinimumAPIKey(url).Name]
	minimumBearer := found[benchmarks.MinimumBearer(url).Name]
	var ours []measurement
	for _, path := range benchmarks.Paths {
		apiKey := found[benchmarks.APIKeyAuth(benchmarks.API, 10, path).Name]
		jwt := found[benchmarks.JWTAuth(benchmarks.API, 10, path).Name]
		ours = append(ours, apiKey, jwt)
		toMinimum, toPeer := 1.1, 0.85
		if path == benchmarks.EscapedPath {
			toMinimum, toPeer = 1.2, 0.95
		}
		kind := benchmarks.Kind(path)
		rows = append(rows, ratio("APIKeyAuth, "+kind+", against the minimum", apiKey, minimumKey, toMinimum))
		for _, peer := range benchmarks.Peers(url) {
			rows = append(rows, ratio("APIKeyAuth, "+kind+", against "+peer.Name, apiKey, found[peer.Name], toPeer))
		}
		rows = append(rows,
			ratio("JWTAuth, "+kind+", against the minimum", jwt, minimumBearer, 1.25),
			ratio("JWTAuth, "+kind+", against x/oauth2", jwt, found[benchmarks.OAuth2(url).Name], 0.85))
	}
	outOfScope, public := found[benchmarks.OutOfScope().Name], found[benchmarks.Public().Name]
	untraced := found[benchmarks.APIKeyAuth(benchmarks.API, 10, benchmarks.WildcardPath).Name]
	silent, decided := found[benchmarks.WithoutHooks().Name], found[benchmarks.WithDecided().Name]
	return append(rows,
		atMost("allocations of a request, the most of these", maxAllocations(ours...), 3),
		absolute("a request out of scope", outOfScope, 30),
		absolute("a request to a public endpoint", public, 80),
		atMost("allocations of either", maxAllocations(outOfScope, public), 0),
		ratio("a Trace without hooks, against none", silent, untraced, 1.02),
		atMost("allocations that it adds", silent.allocs-untraced.allocs, 0),
		atMost("allocations that a Decided adds", decided.allocs-untraced.allocs, 1),
	)
}

func goalsOfManyRoutes(e effort) ([]row, error) {
	subjects := benchmarks.ManyRoutes()
	found, err := measureSubjects(e, subjects)
	if err != nil {
		return nil, err
	}
	var rows []row
	for pair := range slices.Chunk(subjects, 2) {
		few, many := pair[0], pair[1]
		rows = append(rows, ratio(many.Name+", against 10 routes", found[many.Name], found[few.Name], 1.1))
	}
	return rows, nil
}

// goalsOfNewPolicy are about making a policy of many routes, and refusing one.
func goalsOfNewPolicy(effort) ([]row, error) {
	const routes, conflicts = 10_000, 500
	made, refused := benchmarks.Routes(routes), benchmarks.ConflictingRoutes(routes, conflicts)
	if _, err := routeauth.NewPolicy(benchmarks.API, made); err != nil {
		return nil, err
	}
	if _, err := routeauth.NewPolicy(benchmarks.API, refused); err == nil {
		return nil, errors.New("routes in conflict were accepted")
	}
	var rows []row
	for _, test := range []struct {
		what   string
		routes routeauth.Routes
		time   float64 // nanoseconds
		bytes  float64
	}{
		{fmt.Sprintf("NewPolicy with %d routes", routes), made, 100e6, 20e6},
		{fmt.Sprintf("NewPolicy refuses %d of them in %d conflicts", 2*conflicts, conflicts), refused, 200e6, 50e6},
	} {
		result := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = routeauth.NewPolicy(benchmarks.API, test.routes)
			}
		})
		ns := float64(result.NsPerOp())
		rows = append(rows,
			row{what: test.what, measured: duration(ns), goal: duration(test.time), met: ns <= test.time},
			atMost("bytes that it allocates", float64(result.AllocedBytesPerOp()), test.bytes))
	}
	return rows, nil
}

func goalOfColdCache(effort) ([]row, error) {
	const goroutines = 10_000
	fetches, err := benchmarks.ColdCache(goroutines)
	return []row{atMost(fmt.Sprintf("fetches of %d goroutines on a cold cache", goroutines), float64(fetches), 1)}, err
}

// The loopback is measured in many short rounds: the difference that is looked
// for is small beside what a machine does meanwhile.
const (
	loopbackRounds = 40 // for each of the others
	loopbackPart   = 10 // of their benchtime
)

func goalOfLoopback(e effort) ([]row, error) {
	server := benchmarks.NewLoopback()
	defer server.Close()
	subjects := []benchmarks.Subject{server.Minimum(), server.JWTAuth()}
	var operations []benchmarks.Operation
	for _, subject := range subjects {
		operation, err := server.Exchanges(subject)
		if err != nil {
			return nil, err
		}
		operations = append(operations, operation)
	}
	found, err := named(effort{rounds: e.rounds * loopbackRounds, benchtime: e.benchtime / loopbackPart}, subjects, operations)
	if err != nil {
		return nil, err
	}
	minimum, jwt := found[subjects[0].Name], found[subjects[1].Name]
	return []row{ratio("JWTAuth through a loopback server, against the minimum", jwt, minimum, 1.02)}, nil
}

// ratio is a goal for the time of one subject against another's.
func ratio(what string, m, against measurement, limit float64) row {
	ratio := summary(m.ratios(against))
	return row{
		what:     what,
		measured: fmt.Sprintf("%.3f × (%s / %s)", ratio.Center, duration(m.time()), duration(against.time())),
		interval: fmt.Sprintf("%.3f to %.3f", ratio.Lo, ratio.Hi),
		fastest:  fmt.Sprintf("%.3f ×", m.fastest()/against.fastest()),
		goal:     fmt.Sprintf("%.2f ×", limit),
		met:      ratio.Center <= limit,
		allocs:   count(m.allocs) + " / " + count(against.allocs),
	}
}

// absolute is a goal for a time in nanoseconds.
func absolute(what string, m measurement, limit float64) row {
	time := summary(m.rounds)
	return row{
		what:     what,
		measured: duration(time.Center),
		interval: duration(time.Lo) + " to " + duration(time.Hi),
		fastest:  duration(m.fastest()),
		goal:     duration(limit),
		met:      time.Center <= limit,
		allocs:   count(m.allocs),
	}
}

// atMost is a goal for a count.
func atMost(what string, counted, limit float64) row {
	return row{what: what, measured: count(counted), goal: count(limit), met: counted <= limit}
}

func maxAllocations(measurements ...measurement) (most float64) {
	for _, m := range measurements {
		most = max(most, m.allocs)
	}
	return most
}
