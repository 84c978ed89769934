// Package benchmarks measures what routeauth costs, side by side with other
// libraries that send a credential.
//
// A [Subject] is a transport and the request that it is measured with. Each is
// defined once. The benchmarks in this folder, the test that every subject
// sends what it should, and the program in goals all use the same ones.
package benchmarks
