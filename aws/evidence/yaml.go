package evidence

import (
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseYAML reads a template in YAML. The short forms of functions become the
// long ones. CloudFormation takes no aliases, so none is followed.
func parseYAML(text string) (tree *node, err error) {
	defer func() {
		if recover() != nil { // the parser is not ours, and the text is hostile
			tree, err = nil, notYAML()
		}
	}()
	if !utf8.ValidString(text) || tooDeep(text) || tooWide(text) {
		return nil, notYAML()
	}
	file, err := parser.ParseBytes([]byte(strings.ReplaceAll(text, "\r\n", "\n")), 0)
	if err != nil || len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, notYAML()
	}
	if len(file.Docs) > 1 {
		return nil, refuse("The template is followed by another document.", "Paste the template alone, or last.")
	}
	return fromYAML(file.Docs[0].Body, 0)
}

func notYAML() error {
	return refuse(
		"The template is no YAML that CloudFormation would take.",
		"Copy the whole template again: aws cloudformation get-template --stack-name NAME --output json.",
	)
}

// tooDeep tells a text that nests deeper than any template, before it is given to
// a parser that goes down as deep as the text does.
func tooDeep(text string) bool {
	depth, most := 0, 0
	for line := range strings.Lines(text) {
		most = max(most, (len(line)-len(strings.TrimLeft(line, " ")))/2, strings.Count(line, "- "))
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
		most = max(most, depth)
	}
	return most > 4*maxDepth
}

// tooWide tells a text with more entries side by side than a template has: the
// parser takes the square of their number.
func tooWide(text string) bool {
	const most = 2000 // CloudFormation takes 500 resources
	var side [4 * maxDepth]int
	for line := range strings.Lines(text) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) == "" || indent >= len(side) {
			continue
		}
		if side[indent]++; side[indent] > most {
			return true
		}
		clear(side[indent+1:])
	}
	return false
}

func fromYAML(n ast.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, notYAML()
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return mapping(n.Values, depth)
	case *ast.MappingValueNode:
		return mapping([]*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := &node{kind: '['}
		for _, item := range n.Values {
			value, err := fromYAML(item, depth+1)
			if err != nil {
				return nil, err
			}
			out.list = append(out.list, value)
		}
		return out, nil
	case *ast.TagNode:
		return tagged(n, depth)
	case *ast.StringNode:
		return &node{kind: '"', text: n.Value}, nil
	case *ast.LiteralNode:
		return &node{kind: '"', text: n.Value.Value}, nil
	case *ast.NullNode:
		return &node{kind: 'w', text: "null"}, nil
	case *ast.BoolNode:
		return &node{kind: 'w', text: strings.ToLower(n.String())}, nil
	case *ast.IntegerNode, *ast.FloatNode: // IAM reads numbers as text
		return &node{kind: '"', text: n.GetToken().Value}, nil
	}
	return nil, notYAML()
}

func mapping(entries []*ast.MappingValueNode, depth int) (*node, error) {
	out, seen := &node{kind: '{'}, map[string]bool{}
	for _, e := range entries {
		key := e.Key.GetToken().Value
		if seen[key] {
			return nil, refuse(
				"The template has the key "+key+" twice in one place.",
				"Correct the template; CloudFormation does not take it either.",
			)
		}
		seen[key] = true
		value, err := fromYAML(e.Value, depth+1)
		if err != nil {
			return nil, err
		}
		out.keys, out.list = append(out.keys, key), append(out.list, value)
	}
	return out, nil
}

// tagged is a function in its short form: !Ref Name, !GetAtt Name.Arn, !Sub text.
func tagged(n *ast.TagNode, depth int) (*node, error) {
	value, err := fromYAML(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	name := strings.TrimPrefix(n.Start.Value, "!")
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return &node{kind: '{', keys: []string{name}, list: []*node{value}}, nil
}
