package filetokens_test

import (
	"testing"
	"time"

	"example.com/routeauth/tokenstore/filetokens"
)

// BenchmarkSecondRun is what a command's second run spends on the store: to make
// it and to read one token.
func BenchmarkSecondRun(b *testing.B) {
	dir, source := newFolder(b), newIssuer(time.Hour)
	tokenOf(b, stored(b, dir, source))
	for b.Loop() {
		s, err := filetokens.New(dir, source)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Token(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	if n := source.fetches.Load(); n != 1 {
		b.Fatalf("%d fetches", n)
	}
}
