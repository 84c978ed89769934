package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// peers are the modules whose versions matter beside Go's.
var peers = []string{
	"golang.org/x/oauth2",
	"k8s.io/client-go",
	"github.com/prometheus/common",
	"cloud.google.com/go/auth",
}

// printSetting prints what the figures depend on.
func printSetting(w io.Writer, e effort) {
	fmt.Fprintf(w, "- Machine: %s, %d cores, %s/%s\n", cpuModel(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(w, "- Go: %s, GOMAXPROCS %d\n", runtime.Version(), runtime.GOMAXPROCS(0))
	versions := moduleVersions()
	for _, peer := range peers {
		fmt.Fprintf(w, "- %s: %s\n", peer, cmp.Or(versions[peer], "unknown version"))
	}
	fmt.Fprintf(w, "- Medians of %d rounds, %v for each subject in each\n", e.rounds, e.benchtime)
}

func moduleVersions() map[string]string {
	versions := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			versions[module.Path] = module.Version
		}
	}
	return versions
}

// cpuModel returns what Linux calls the processor.
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
