// Package heavy holds no code but tests: routeauth inside SDKs that take a
// minute to compile. It is a module of its own, so that it can be left to the
// night.
package heavy
