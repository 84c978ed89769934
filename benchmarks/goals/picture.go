package main

import (
	"fmt"
	"html"
	"strings"

	"example.com/routeauth/benchmarks"
)

// bar is a line of the picture.
type bar struct {
	name  string
	ratio float64 // to the hand-written minimum
	ours  bool
}

// drawRatios draws what a request costs against the hand-written minimum, as SVG.
func drawRatios(found results) string {
	const url = benchmarks.API + benchmarks.StaticPath
	minimumKey := found[benchmarks.MinimumAPIKey(url).Name]
	minimumBearer := found[benchmarks.MinimumBearer(url).Name]
	against := func(m, minimum measurement) float64 { return median(m.ratios(minimum)) }

	bars := []bar{{"hand-written minimum", 1, false}}
	for _, path := range benchmarks.Paths {
		kind := benchmarks.Kind(path)
		bars = append(bars,
			bar{"routeauth, APIKeyAuth, " + kind, against(found[benchmarks.APIKeyAuth(benchmarks.API, 10, path).Name], minimumKey), true},
			bar{"routeauth, JWTAuth, " + kind, against(found[benchmarks.JWTAuth(benchmarks.API, 10, path).Name], minimumBearer), true})
	}
	for _, peer := range benchmarks.Peers(url) {
		bars = append(bars, bar{peer.Name, against(found[peer.Name], minimumBearer), false})
	}
	return draw(bars)
}

func draw(bars []bar) string {
	const line, label, unit, top = 24, 300, 220, 40
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n",
		label+3*unit, top+line*len(bars)+10)
	svg.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	fmt.Fprintf(&svg, `<text x="8" y="20" font-weight="bold">Time of one request, over a base that answers at once (1 = hand-written minimum)</text>`+"\n")
	for i, b := range bars {
		y, color := top+line*i, "#9aa5b1"
		if b.ours {
			color = "#2f6fb0"
		}
		fmt.Fprintf(&svg, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", label-8, y+15, html.EscapeString(b.name))
		fmt.Fprintf(&svg, `<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/>`+"\n", label, y+2, b.ratio*unit, line-6, color)
		fmt.Fprintf(&svg, `<text x="%.0f" y="%d">%.2f</text>`+"\n", label+b.ratio*unit+6, y+15, b.ratio)
	}
	fmt.Fprintf(&svg, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#444" stroke-dasharray="3 3"/>`+"\n",
		label+unit, top, label+unit, top+line*len(bars))
	svg.WriteString("</svg>\n")
	return svg.String()
}
