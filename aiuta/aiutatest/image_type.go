package aiutatest

// imageType is a kind of product image that can be asked for: the fields of the
// API's FlatLayImageType or OnFigureImageType.
type imageType map[string]string

// imageTypeField is a field of an image type with the values that it takes.
type imageTypeField struct {
	name    string
	allowed []string
}

var (
	flatLayType = []imageTypeField{
		{"flat_lay_type", []string{"flat", "ghost_mannequin", "detail"}},
		{"viewpoint", []string{"front", "back"}},
	}
	onFigureType = []imageTypeField{
		{"viewpoint", []string{"front", "front_angled", "back", "back_angled", "side"}},
		{"pose", []string{"standing", "walking", "sitting", "leaning", "crouching_or_kneeling", "in_action", "close_up"}},
	}
)

func readImageType(f *form, fields []imageTypeField) imageType {
	read := make(imageType, len(fields))
	for _, field := range fields {
		f.require(field.name)
		read[field.name] = f.choice(field.name, field.allowed...)
	}
	return read
}

// readImageTypes reads a list of image types, of which there are at most a
// number.
func readImageTypes(f *form, name string, most int, fields []imageTypeField) []imageType {
	read := []imageType{}
	for _, item := range f.list(name, most) {
		read = append(read, readImageType(item, fields))
	}
	return read
}
