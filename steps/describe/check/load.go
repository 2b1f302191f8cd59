package check

import (
	"rolecall/assets"
	"rolecall/steps/describe"
)

// Load reads the built-in vendor called name, the one of that name in the
// user's folder, or the description in the file at the path name. A path has a
// slash or ends in .yaml or .yml. The error is a Mistake or Mistakes, or says
// why the file could not be read.
func (l Library) Load(name string) (*describe.Vendor, error) {
	if text, err := assets.Vendor(name); err == nil {
		return l.builtIn(name, text)
	}
	file, err := describe.FileOf(name)
	if err != nil {
		return nil, err
	}
	text, err := describe.ReadText(file)
	if err != nil {
		return nil, err
	}
	return l.ReadForeign(text, file)
}

// builtIn loads the compiled form of a description of the program, or reads its
// YAML as long as it has none.
func (l Library) builtIn(name string, text []byte) (*describe.Vendor, error) {
	if compiled, err := assets.CompiledVendor(name); err == nil {
		return describe.Decompile(compiled)
	}
	return l.Read(text, name+".yaml")
}
