package aiutatest

import "net/http"

// How many types of images one operation of the Studio API takes.
const (
	maxFlatLayTypes  = 6
	maxOnFigureTypes = 35
)

// presetID is that of the only on-figure model preset.
const presetID = "preset-1"

// studioEndpoints returns those of the Studio API.
func studioEndpoints(g *generator) endpoints {
	s := studio{g.images, newProductImages(g, "flatlay"), newProductImages(g, "on_figure")}
	all := g.images.endpoints()
	all["POST /flat_lay_operations"] = s.startFlatLay
	all["GET /flat_lay_operations/{operation_id}"] = s.flatLays.status
	all["GET /on_figure_model_presets"] = s.presets
	all["POST /on_figure_operations"] = s.startOnFigure
	all["POST /on_figure_operations/regenerate"] = s.regenerate
	all["GET /on_figure_operations/{operation_id}"] = s.onFigures.status
	return all
}

// studio is the Studio API.
type studio struct {
	images    *imageStore
	flatLays  *operations[productImages]
	onFigures *operations[productImages]
}

func (s studio) startFlatLay(w http.ResponseWriter, req *http.Request) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	read, err := readProductImages(f, s.images, maxFlatLayTypes, flatLayType)
	if err != nil {
		return err
	}
	return writeStarted(w, http.StatusOK, s.flatLays.start(read))
}

func (s studio) startOnFigure(w http.ResponseWriter, req *http.Request) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	f.requireOne("on_figure_model_preset_id", "on_figure_model_settings")
	preset := field[string](f, "on_figure_model_preset_id")
	if f.has("on_figure_model_settings") {
		settings := f.nested("on_figure_model_settings")
		settings.require("gender")
		settings.choice("gender", "male", "female")
	}
	read, err := readProductImages(f, s.images, maxOnFigureTypes, onFigureType)
	if err != nil {
		return err
	}
	if preset != "" && preset != presetID {
		return notFound("on-figure model preset")
	}
	read.PresetID = f.fields["on_figure_model_preset_id"]
	read.FigureSettings = f.fields["on_figure_model_settings"]
	return writeStarted(w, http.StatusOK, s.onFigures.start(read))
}

// regenerate starts an operation for the product and the model of another one.
func (s studio) regenerate(w http.ResponseWriter, req *http.Request) *apiError {
	f, err := readForm(w, req)
	if err != nil {
		return err
	}
	f.require("original_operation_id", "image_types")
	id := field[string](f, "original_operation_id")
	types := readImageTypes(f, "image_types", maxOnFigureTypes, onFigureType)
	if f.has("image_types") && len(types) == 0 {
		f.fault("image_types", "too_short", "is empty")
	}
	original, found := s.onFigures.request(id)
	perType := f.number("number_of_generations", original.PerType, 1, maxPerType)
	if err := f.err(); err != nil {
		return err
	}
	if !found {
		return notFound("operation")
	}
	original.Types, original.PerType = types, perType
	return writeStarted(w, http.StatusOK, s.onFigures.start(original))
}

func (s studio) presets(w http.ResponseWriter, _ *http.Request) *apiError {
	writeJSON(w, http.StatusOK, []any{map[string]any{
		"preset_id":    presetID,
		"sample_image": s.images.woman.URL,
		"settings":     map[string]string{"gender": "female"},
	}})
	return nil
}
