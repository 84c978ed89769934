package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/routeauth/aiuta/aiutatest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readPNG(t *testing.T, content []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	return picture
}

// differing counts the pixels in which two pictures differ by more than what the
// arithmetic of another machine may round otherwise.
func differing(a, b image.Image) (count int) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA)
			q := color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			for _, pair := range [][2]uint8{{p.R, q.R}, {p.G, q.G}, {p.B, q.B}, {p.A, q.A}} {
				if max(pair[0], pair[1])-min(pair[0], pair[1]) > 2 {
					count++
					break
				}
			}
		}
	}
	return count
}

func TestOutWritesEachResultAndSaysWhere(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("result.png", []byte("of an earlier run"), 0o600))
	s, err := parseSettings([]string{"-out", "result.png"}, noEnvironment, nil)
	require.NoError(t, err)
	s.interval = func(int) time.Duration { return 0 }
	var out bytes.Buffer
	require.NoError(t, perform(t.Context(), s, &out))

	uploaded := readPNG(t, person)
	for _, name := range []string{"result.png", "result-2.png"} {
		assert.Contains(t, out.String(), " bytes and is in "+name+"\n")
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		result := readPNG(t, content)
		require.Equal(t, uploaded.Bounds(), result.Bounds())
		assert.Greater(t, differing(uploaded, result), 5000, "the garment is to be seen")
	}
	left, err := filepath.Glob("*")
	require.NoError(t, err)
	assert.Len(t, left, 2, "the third part has no result")
}

func TestWithoutOutNothingIsWritten(t *testing.T) {
	t.Chdir(t.TempDir())
	assert.Contains(t, output(t, screen{}), "-out result.png writes it.\n")
	left, err := filepath.Glob("*")
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAResultThatCannotBeWrittenIsAnError(t *testing.T) {
	folder := t.TempDir()
	r := results{name: filepath.Join(folder, "a.png")}
	require.NoError(t, r.check())
	require.NoError(t, os.Mkdir(r.name, 0o700)) // in the meantime
	var out bytes.Buffer
	require.Error(t, r.add([]byte("a"), &callLog{out: &out}))
	assert.Empty(t, out.String(), "nothing was written, and nothing is said to be")
}

// person.png is the picture of a model of aiutatest: when that is drawn in
// another way, download it anew.
func TestThePersonIsAModelOfTheServer(t *testing.T) {
	server := aiutatest.NewServer(aiutatest.Config{InProcess: true})
	image, err := apiClient{http: server.Client()}.fetch(t.Context(), server.URL+"/storage/"+aiutatest.ModelImageID)
	require.NoError(t, err)
	model, drawn := readPNG(t, image), readPNG(t, person)
	require.Equal(t, model.Bounds(), drawn.Bounds())
	assert.Zero(t, differing(model, drawn))
	assert.Less(t, len(person), 40_000)
}
