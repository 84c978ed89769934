package aiutatest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
)

// canvas is a picture that shapes are painted on. Its coordinates are those of a
// portrait 3 wide and 4 high, as large as it fits into the middle of the picture.
type canvas struct {
	*image.NRGBA
	scale  float64 // pixels for one unit
	x0, y0 float64 // in pixels, of the portrait's corner
}

func newCanvas(from image.Image) canvas {
	size := from.Bounds().Size()
	c := canvas{NRGBA: image.NewNRGBA(image.Rectangle{Max: size})}
	draw.Draw(c, c.Rect, from, from.Bounds().Min, draw.Src)
	c.scale = min(float64(size.X)/3, float64(size.Y)/4)
	c.x0 = (float64(size.X) - 3*c.scale) / 2
	c.y0 = (float64(size.Y) - 4*c.scale) / 2
	return c
}

// shape is what can be painted.
type shape struct {
	x1, y1, x2, y2 float64                    // nothing of it is outside of these
	outside        func(x, y float64) float64 // how far a point is outside; less than 0 is inside
}

// paint fills a shape. Where its edge crosses a pixel, the pixel is mixed.
func (c canvas) paint(s shape, with color.NRGBA) {
	area := image.Rect(
		int(s.x1*c.scale+c.x0)-1, int(s.y1*c.scale+c.y0)-1,
		int(s.x2*c.scale+c.x0)+2, int(s.y2*c.scale+c.y0)+2).Intersect(c.Rect)
	for py := area.Min.Y; py < area.Max.Y; py++ {
		for px := area.Min.X; px < area.Max.X; px++ {
			x, y := (float64(px)+0.5-c.x0)/c.scale, (float64(py)+0.5-c.y0)/c.scale
			cover := min(max(0.5-s.outside(x, y)*c.scale, 0), 1) * float64(with.A) / 255
			if cover > 0 {
				c.SetNRGBA(px, py, mix(c.NRGBAAt(px, py), with, cover))
			}
		}
	}
}

func mix(below, above color.NRGBA, cover float64) color.NRGBA {
	channel := func(from, to uint8) uint8 {
		return uint8(math.Round(float64(from)*(1-cover) + float64(to)*cover))
	}
	return color.NRGBA{
		channel(below.R, above.R), channel(below.G, above.G), channel(below.B, above.B), channel(below.A, 255),
	}
}

// png returns the picture as a file.
func (c canvas) png() []byte {
	var content bytes.Buffer
	_ = png.Encode(&content, c.NRGBA) // to memory
	return content.Bytes()
}

// ellipse is exact only near its edge, which is where it counts.
func ellipse(cx, cy, rx, ry float64) shape {
	return shape{cx - rx, cy - ry, cx + rx, cy + ry, func(x, y float64) float64 {
		return (math.Hypot((x-cx)/rx, (y-cy)/ry) - 1) * min(rx, ry)
	}}
}

// stroke is a line with round ends.
func stroke(x1, y1, x2, y2, r float64) shape {
	return shape{min(x1, x2) - r, min(y1, y2) - r, max(x1, x2) + r, max(y1, y2) + r, func(x, y float64) float64 {
		return fromLine(x, y, point{x1, y1}, point{x2, y2}) - r
	}}
}

type point struct{ x, y float64 }

func fromLine(x, y float64, p, q point) float64 {
	dx, dy := q.x-p.x, q.y-p.y
	along := min(max(((x-p.x)*dx+(y-p.y)*dy)/(dx*dx+dy*dy), 0), 1)
	return math.Hypot(x-p.x-along*dx, y-p.y-along*dy)
}

// polygon has round corners of radius r, by which it is wider than its points.
func polygon(r float64, points ...point) shape {
	s := shape{points[0].x, points[0].y, points[0].x, points[0].y, func(x, y float64) float64 {
		nearest, inside := math.Inf(1), false
		for i, p := range points {
			q := points[(i+1)%len(points)]
			nearest = min(nearest, fromLine(x, y, p, q))
			if (p.y > y) != (q.y > y) && x < p.x+(y-p.y)/(q.y-p.y)*(q.x-p.x) {
				inside = !inside
			}
		}
		if inside {
			nearest = -nearest
		}
		return nearest - r
	}}
	for _, p := range points {
		s.x1, s.y1, s.x2, s.y2 = min(s.x1, p.x-r), min(s.y1, p.y-r), max(s.x2, p.x+r), max(s.y2, p.y+r)
	}
	return s
}

// rectangle has the four edges.
func rectangle(x1, y1, x2, y2 float64) shape {
	return shape{x1, y1, x2, y2, func(x, y float64) float64 { return max(x1-x, x-x2, y1-y, y-y2) }}
}

// both is where two shapes overlap.
func both(a, b shape) shape {
	return shape{max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2),
		func(x, y float64) float64 { return max(a.outside(x, y), b.outside(x, y)) }}
}
