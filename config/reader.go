package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// maxValues bounds the values read of one file. Aliases let a small file name
// the same list many times over; a configuration written by people stays far
// below this.
const maxValues = 100_000

// A reader walks the tree of one file. It notes faults instead of stopping at
// them, and where each value stands.
type reader struct {
	file    string
	anchors map[string]ast.Node
	at      map[string]Position
	values  int
	faults  Faults
}

// A value is one node of the tree. Its methods write what they read through
// the pointer that they are given, or note a fault and leave it as it was.
type value struct {
	r    *reader
	path string
	node ast.Node
}

// A field is a key that a mapping may have, and what reads its value.
type field struct {
	key  string
	read func(value)
}

// value returns node as the value at path, which stands at pos. Anchors, tags
// and aliases are looked through.
func (r *reader) value(path string, pos Position, node ast.Node) value {
	r.values++
	for range 16 { // deeper chains of names are nobody's configuration
		switch n := node.(type) {
		case *ast.AnchorNode:
			r.anchors[n.Name.String()] = n.Value
			node = n.Value
			continue
		case *ast.TagNode:
			node = n.Value
			continue
		case *ast.AliasNode:
			target, ok := r.anchors[n.Value.String()]
			if !ok {
				r.faults = append(r.faults, Fault{r.file, pos, path, fmt.Errorf("no &%s before this *%s", n.Value, n.Value)})
				return value{r: r, path: path}
			}
			node = target
			continue
		}
		break
	}
	if _, ok := node.(ast.ScalarNode); ok {
		pos = position(node)
	}
	r.at[path] = pos
	return value{r: r, path: path, node: node}
}

// position returns where node stands.
func position(node ast.Node) Position {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return Position{}
	}
	p := node.GetToken().Position
	return Position{p.Line, p.Column}
}

// fault notes that v is not what it must be.
func (v value) fault(format string, args ...any) { v.wrong(fmt.Errorf(format, args...)) }

// wrong notes err as v's fault.
func (v value) wrong(err error) {
	v.r.faults = append(v.r.faults, Fault{v.r.file, v.r.at[v.path], v.path, err})
}

// fields reads v as a mapping that may have the known keys and no others.
func (v value) fields(known ...field) {
	mapping, ok := v.node.(ast.MapNode)
	if !ok {
		v.mismatch("keys and values (" + keys(known) + ")")
		return
	}
	seen := make(map[string]bool)
	for it := mapping.MapRange(); it.Next(); {
		key := text(it.Key())
		pos := position(it.Key())
		path := key
		if v.path != "" {
			path = v.path + "." + key
		}
		if seen[key] {
			v.r.faults = append(v.r.faults, Fault{v.r.file, pos, path, errors.New("given twice: keep one")})
			continue
		}
		seen[key] = true
		v.field(known, key, pos, v.r.value(path, pos, it.Value()))
	}
}

// field reads child, the value of one key of v, which stands at pos.
func (v value) field(known []field, key string, pos Position, child value) {
	if v.r.values > maxValues {
		return // said once, by parse
	}
	for _, f := range known {
		if f.key != key {
			continue
		}
		if child.node == nil || child.node.Type() == ast.NullType {
			child.mismatch("a value, or not to be there at all")
			return
		}
		f.read(child)
		return
	}
	v.r.at[child.path] = pos
	child.fault("no such key%s (known here: %s)", suggest(key, known), keys(known))
}

// each reads v as a list.
func (v value) each(read func(i int, item value)) {
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.mismatch("a list ([…], or lines that begin with -)")
		return
	}
	for i, node := range list.Values {
		if v.r.values > maxValues {
			return
		}
		read(i, v.r.value(fmt.Sprintf("%s[%d]", v.path, i), position(node), node))
	}
}

// scalar returns v's text as it stands in the file, so that version 1.10 does
// not become the number 1.1.
func (v value) scalar(want string) (string, bool) {
	switch v.node.(type) {
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return text(v.node), true
	}
	v.mismatch(want)
	return "", false
}

// mismatch notes that v is of the wrong kind.
func (v value) mismatch(want string) {
	if v.node == nil {
		return // an alias of nothing, already noted
	}
	v.fault("is %s: must be %s", kind(v.node), want)
}

func (v value) string(dst *string) {
	if s, ok := v.scalar("text"); ok {
		*dst = s
	}
}

func (v value) float(dst *float64) {
	s, ok := v.scalar("a number")
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		v.fault("%q is not a number", s)
		return
	}
	*dst = f
}

func (v value) duration(dst *time.Duration) {
	s, ok := v.scalar("a duration such as 90s")
	if !ok {
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		v.fault("%q is not a duration: write 500ms, 90s, 10m or 1h30m", s)
		return
	}
	*dst = d
}

// choice reads v as one of the words.
func (v value) choice(dst *string, words ...string) {
	s, ok := v.scalar("one of " + strings.Join(words, ", "))
	if !ok {
		return
	}
	if !slices.Contains(words, s) {
		v.fault("%q is not one of %s", s, strings.Join(words, ", "))
		return
	}
	*dst = s
}

// text returns a scalar as it was written, without its quotes.
func text(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	if node == nil || node.GetToken() == nil {
		return ""
	}
	return node.GetToken().Value
}

// kind names what node is, for people.
func kind(node ast.Node) string {
	switch node.(type) {
	case ast.MapNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	}
	return strings.ToLower(node.Type().String())
}

// keys lists the keys that are known, in the order in which they are documented.
func keys(known []field) string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
	return strings.Join(names, ", ")
}
