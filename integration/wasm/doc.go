// Package wasm tests routeauth as a web page runs it: compiled for GOOS=js, where
// net/http sends requests with fetch. The tests and their servers run natively.
// They build the command in program, and run.js runs it under Node 18 or later,
// hiding what net/http would recognize Node by.
//
// Without Node the tests are skipped, unless the environment variable CI is set:
// then they fail. The go command does not know that the tests build another
// program, and may report an old result as cached. This runs them afresh:
//
//	go test -count=1 ./wasm
package wasm
