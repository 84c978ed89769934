package aiutatest

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	_ "image/jpeg" // uploads may be such
	"math"
	"strings"
	"sync"
)

// picture is that of a predefined try-on model: a person in a vest.
var picture = sync.OnceValue(func() []byte {
	c := newCanvas(image.NewNRGBA(image.Rect(0, 0, 240, 320)))
	rgb := func(v uint32) color.NRGBA { return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }
	skin, hair, vest, trousers, shoe := rgb(0xe3b08f), rgb(0x4a3328), rgb(0xf7f4ee), rgb(0x3c4a63), rgb(0x2b2b30)

	c.paint(rectangle(0, 0, 3, 4), rgb(0xe9e4dc))        // wall
	c.paint(ellipse(1.5, 1.7, 1.25, 1.5), rgb(0xf3efe8)) // light on it
	c.paint(rectangle(0, 3.45, 3, 4), rgb(0xd8cfc2))
	c.paint(ellipse(1.5, 3.78, 0.8, 0.09), color.NRGBA{60, 50, 40, 60}) // shadow

	c.paint(ellipse(1.5, 0.68, 0.37, 0.42), hair)
	c.paint(ellipse(1.5, 0.24, 0.15, 0.14), hair)
	c.paint(stroke(1.5, 0.95, 1.5, 1.25, 0.11), skin) // neck
	for _, side := range []float64{-1, 1} {
		at := func(x float64) float64 { return 1.5 + side*x }
		c.paint(stroke(at(0.16), 2.35, at(0.19), 3.6, 0.15), trousers)
		c.paint(stroke(at(0.2), 3.72, at(0.3), 3.74, 0.075), shoe)
		c.paint(stroke(at(0.38), 1.33, at(0.52), 1.9, 0.1), skin)
		c.paint(stroke(at(0.52), 1.9, at(0.46), 2.42, 0.085), skin)
	}
	c.paint(polygon(0.08, point{1.16, 1.3}, point{1.84, 1.3}, point{1.78, 2.3}, point{1.22, 2.3}), skin)
	c.paint(polygon(0.06, point{1.24, 1.27}, point{1.3, 1.5}, point{1.7, 1.5}, point{1.76, 1.27},
		point{1.8, 2.34}, point{1.2, 2.34}), vest)
	c.paint(polygon(0.07, point{1.2, 2.36}, point{1.8, 2.36}, point{1.77, 2.5}, point{1.23, 2.5}), trousers)

	c.paint(ellipse(1.5, 0.76, 0.28, 0.33), skin)
	c.paint(both(ellipse(1.5, 0.7, 0.31, 0.36), ellipse(1.38, 0.38, 0.42, 0.22)), hair) // fringe
	for _, x := range []float64{1.39, 1.61} {
		c.paint(ellipse(x, 0.77, 0.026, 0.034), rgb(0x33251f))
	}
	smile := both(ellipse(1.5, 0.86, 0.1, 0.085), rectangle(1.3, 0.89, 1.7, 1))
	c.paint(smile, rgb(0xb4594f))
	return c.png()
})

// maxPixels is how many an upload may have that a garment is drawn on.
const maxPixels = 16 << 20

// dress draws a garment over the picture of a person, or over a model's where
// the person's cannot be read. What it looks like depends on the SKUs alone.
func dress(person []byte, skus []string) []byte {
	on := decode(person)
	if on == nil {
		on = decode(picture())
	}
	c := newCanvas(on)
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(strings.Join(skus, ","))) // never fails
	hue := float64(hash.Sum32()%360) / 60

	cloth, fold, stripe := hsv(hue, 0.62, 0.78), hsv(hue, 0.7, 0.62), hsv(hue+0.5, 0.2, 0.97)
	body := polygon(0.06, point{1.06, 1.28}, point{1.28, 1.2}, point{1.38, 1.3}, point{1.5, 1.34}, point{1.62, 1.3},
		point{1.72, 1.2}, point{1.94, 1.28}, point{1.86, 1.7}, point{1.86, 2.5}, point{1.14, 2.5}, point{1.14, 1.7})
	for _, side := range []float64{-1, 1} {
		c.paint(stroke(1.5+side*0.42, 1.36, 1.5+side*0.54, 1.74, 0.17), fold)
	}
	c.paint(body, cloth)
	for i := range min(len(skus), 3) {
		y := 1.72 + 0.2*float64(i)
		c.paint(both(body, stroke(0.9, y, 2.1, y, 0.06)), stripe)
	}
	return c.png()
}

// decode returns a picture, or nil where that is none, or too large.
func decode(content []byte) image.Image {
	config, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil
	}
	decoded, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	return decoded
}

// hsv returns a colour by its hue, in sixths of the circle, its saturation and
// its value.
func hsv(hue, saturation, value float64) color.NRGBA {
	channel := func(n float64) uint8 {
		k := math.Mod(n+hue, 6)
		return uint8(255 * (value - value*saturation*max(0, min(k, 4-k, 1))))
	}
	return color.NRGBA{channel(5), channel(3), channel(1), 255}
}
