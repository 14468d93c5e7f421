package haldane_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageTellsItsStory(t *testing.T) {
	story := map[string]bool{}
	for _, f := range sources(t) {
		if !f.test {
			story[f.dir] = story[f.dir] || f.syntax.Doc != nil
		}
	}
	for dir, told := range story {
		if !told {
			t.Errorf("%s: no package comment says which question it answers", dir)
		}
	}
}

func TestEveryExportIsDocumentedByItsName(t *testing.T) {
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if exported(d) && !starts(d.Doc, d.Name.Name) {
					t.Errorf("%s: the comment on %s does not start with its name", f.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(t, f, d)
			}
		}
	}
}

// checkSpecs holds the types, constants and variables of d to be documented: a
// type by its name; a value by a comment of its own or on its group.
func checkSpecs(t *testing.T, f source, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = d.Doc
			}
			if s.Name.IsExported() && !starts(doc, s.Name.Name) {
				t.Errorf("%s: the comment on %s does not start with its name", f.at(s), s.Name.Name)
			}
		case *ast.ValueSpec:
			if d.Tok == token.IMPORT {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					t.Errorf("%s: nothing is said of %s", f.at(s), name.Name)
				}
			}
		}
	}
}

// exported reports whether d can be called from outside its package.
func exported(d *ast.FuncDecl) bool {
	if !d.Name.IsExported() || d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.IsExported()
	}
	of := d.Recv.List[0].Type
	for {
		switch t := of.(type) {
		case *ast.StarExpr:
			of = t.X
		case *ast.IndexExpr:
			of = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return true
		}
	}
}

// starts reports whether a comment's first word, but for an article, is name.
func starts(doc *ast.CommentGroup, name string) bool {
	words := strings.Fields(doc.Text())
	if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	return len(words) > 0 && strings.TrimRight(words[0], ",.:;") == name
}

// A length is how many lines something has.
type length struct {
	of    string
	lines int
}

// within holds lengths to a median, a ninetieth percentile and a maximum.
func within(t *testing.T, all []length, p50, p90, longest int) {
	t.Helper()
	slices.SortFunc(all, func(a, b length) int { return cmp.Compare(a.lines, b.lines) })
	most := all[max(0, len(all)-8):]
	for _, l := range all {
		if l.lines > longest {
			t.Errorf("%s has %d lines, want at most %d", l.of, l.lines, longest)
		}
	}
	if got := all[len(all)/2].lines; got > p50 {
		t.Errorf("median of %d: got %d lines, want at most %d", len(all), got, p50)
	}
	if got := all[len(all)*9/10].lines; got > p90 {
		t.Errorf("ninetieth percentile of %d: got %d lines, want at most %d; the longest: %v", len(all), got, p90, most)
	}
}

func TestFunctionsAreShort(t *testing.T) {
	var all []length
	for _, f := range sources(t) {
		for _, d := range f.syntax.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && !f.test {
				all = append(all, length{fmt.Sprintf("%s %s", f.at(d), d.Name.Name), f.lines(d)})
			}
		}
	}
	within(t, all, 10, 35, 80)
}

func TestFilesHoldOneIdea(t *testing.T) {
	var all []length
	for _, f := range sources(t) {
		if !f.test {
			all = append(all, length{f.path, strings.Count(f.text, "\n")})
		}
	}
	within(t, all, 150, 250, 600)
}

func TestNothingIsLeftForLater(t *testing.T) {
	// Put together, so that this file does not find itself.
	for _, mark := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:", "t.Ski" + "p("} {
		for _, f := range sources(t) {
			if n := strings.Index(f.text, mark); n >= 0 {
				t.Errorf("%s:%d: %s: do it, or open an issue", f.path, 1+strings.Count(f.text[:n], "\n"), mark)
			}
		}
	}
}

// In a bubble of testing/synctest a sleep costs nothing, so that packages
// which test in bubbles may.
func TestNoTestSleeps(t *testing.T) {
	bubbles := map[string]bool{}
	for _, f := range sources(t) {
		bubbles[f.dir] = bubbles[f.dir] || f.test && slices.Contains(imports(f), "testing/synctest")
	}
	for _, f := range sources(t) {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Sleep" || !f.test || bubbles[f.dir] {
				return true
			}
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" {
				t.Errorf("%s: waits for a time instead of an event; use testing/synctest, a channel or a real server", f.at(s))
			}
			return true
		})
	}
}
