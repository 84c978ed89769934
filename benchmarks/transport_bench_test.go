package benchmarks_test

import (
	"fmt"
	"net/http"
	"testing"

	"example.com/routeauth/benchmarks"
	"github.com/stretchr/testify/require"
)

func BenchmarkTransport(b *testing.B) {
	for _, subject := range benchmarks.Subjects() {
		b.Run(subject.Name, func(b *testing.B) {
			operation, err := subject.RoundTrips(benchmarks.OneResponse())
			require.NoError(b, err)
			repeat(b, operation)
		})
	}
}

func BenchmarkTransportInParallel(b *testing.B) {
	for _, subject := range benchmarks.Subjects() {
		b.Run(subject.Name, func(b *testing.B) {
			transport, err := subject.Transport(benchmarks.OwnResponses())
			require.NoError(b, err)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) { roundTrips(b, pb, transport, subject.URL) })
		})
	}
}

// roundTrips sends a goroutine's own request until pb has enough.
func roundTrips(b *testing.B, pb *testing.PB, transport http.RoundTripper, url string) {
	req, err := benchmarks.NewRequest(url)
	for pb.Next() && err == nil {
		_, err = transport.RoundTrip(req)
	}
	if err != nil {
		b.Error(err)
	}
}

func BenchmarkManyRoutes(b *testing.B) {
	for _, subject := range benchmarks.ManyRoutes() {
		b.Run(subject.Name, func(b *testing.B) {
			operation, err := subject.RoundTrips(benchmarks.OneResponse())
			require.NoError(b, err)
			repeat(b, operation)
		})
	}
}

func BenchmarkColdCache(b *testing.B) {
	const goroutines = 10_000
	var fetches int64
	for b.Loop() {
		n, err := benchmarks.ColdCache(goroutines)
		require.NoError(b, err)
		fetches += n
	}
	b.ReportMetric(float64(fetches)/float64(b.N), "fetches/op")
}

func BenchmarkTokenPerParams(b *testing.B) {
	const tokens = 1000
	b.Run("hit", func(b *testing.B) {
		operation, err := benchmarks.HitTokens(tokens, 1)
		require.NoError(b, err)
		repeat(b, operation)
	})
	b.Run("miss", func(b *testing.B) {
		operation, err := benchmarks.MissToken(tokens)
		require.NoError(b, err)
		repeat(b, operation)
	})
}

func BenchmarkGrowth(b *testing.B) {
	for _, growth := range benchmarks.Growths() {
		for _, size := range growth.Sizes {
			b.Run(fmt.Sprintf("%s/%d", growth.Name, size), func(b *testing.B) {
				operation, err := growth.Prepare(size)
				require.NoError(b, err)
				repeat(b, operation)
			})
		}
	}
}

func BenchmarkLoopback(b *testing.B) {
	server := benchmarks.NewLoopback()
	defer server.Close()
	for _, subject := range []benchmarks.Subject{server.Minimum(), server.JWTAuth()} {
		b.Run(subject.Name, func(b *testing.B) {
			operation, err := server.Exchanges(subject)
			require.NoError(b, err)
			repeat(b, operation)
		})
	}
}

// repeat measures an operation.
func repeat(b *testing.B, operation benchmarks.Operation) {
	b.ReportAllocs()
	for b.Loop() {
		if err := operation(); err != nil {
			b.Fatal(err)
		}
	}
}
