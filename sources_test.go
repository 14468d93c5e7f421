package haldane_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A source is one Go file of this module.
type source struct {
	path   string // from the root, with slashes
	dir    string // "." for the root
	test   bool
	text   string
	syntax *ast.File
	set    *token.FileSet
}

// lines returns how many lines n has.
func (s source) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line + 1
}

// at returns where n is, for people.
func (s source) at(n ast.Node) string { return s.set.Position(n.Pos()).String() }

// sources returns every Go file of this module, parsed. It reads the tree
// itself: no tool need be installed, and nothing is left out by build tags.
func sources(t *testing.T) []source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatalf("read the sources: %v", err)
	}
	return all
}

// parsed reads the tree once for all tests, which only look at it.
var parsed = sync.OnceValues(parse)

func parse() ([]source, error) {
	var all []source
	set := token.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "bin") {
				return fs.SkipDir
			}
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if path != "." && err == nil {
				return fs.SkipDir // a module of its own
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{
			path: filepath.ToSlash(path), dir: filepath.ToSlash(filepath.Dir(path)),
			test: strings.HasSuffix(name, "_test.go"), text: string(text), syntax: syntax, set: set,
		})
		return nil
	})
	return all, err
}
