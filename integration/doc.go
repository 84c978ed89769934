// Package integration holds no code but tests: routeauth inside the clients,
// and beside the transports, that programs use it with. What the tests of the
// clients have in common is package measure. It is a module of its own, so that
// what it depends on reaches nobody.
package integration
