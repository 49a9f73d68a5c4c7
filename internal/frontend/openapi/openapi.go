// Package openapi reads the document of what a node answers over HTTP,
// docs/reference/openapi.yaml, for the tests that hold the two servers to it.
package openapi

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is what the tests need of the document.
type Document struct {
	Paths      map[string]map[string]yaml.Node `yaml:"paths"`
	Components struct {
		Parameters map[string]Parameter `yaml:"parameters"`
		Responses  map[string]Response  `yaml:"responses"`
		Headers    map[string]yaml.Node `yaml:"headers"`
		Schemas    map[string]Schema    `yaml:"schemas"`
	} `yaml:"components"`
}

// Ref is a reference to a component; "" where the thing itself is there.
type Ref struct {
	Ref string `yaml:"$ref"`
}

// Target returns the name of the component, without its kind.
func (r Ref) Target() string { return r.Ref[strings.LastIndex(r.Ref, "/")+1:] }

// Operation is one method of one path.
type Operation struct {
	Parameters []Parameter         `yaml:"parameters"`
	Responses  map[string]Response `yaml:"responses"` // by status
}

// Parameter is one parameter, in "query", "path" or "header".
type Parameter struct {
	Ref  `yaml:",inline"`
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

// Response is one answer: its headers by name, its bodies by media type.
type Response struct {
	Ref     `yaml:",inline"`
	Headers map[string]Ref `yaml:"headers"`
	Content map[string]any `yaml:"content"`
}

// Schema describes a value.
type Schema struct {
	Ref        `yaml:",inline"`
	Type       string            `yaml:"type"`
	Format     string            `yaml:"format"`
	Encoding   string            `yaml:"contentEncoding"`
	Enum       []string          `yaml:"enum"`
	Required   []string          `yaml:"required"`
	Properties map[string]Schema `yaml:"properties"`
	Items      *Schema           `yaml:"items"`
	More       *Schema           `yaml:"additionalProperties"`
}

// Read reads the document in file.
func Read(file string) (*Document, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := new(Document)
	return d, yaml.Unmarshal(b, d)
}

// Methods returns the methods of a path, in lower case.
func (d *Document) Methods(path string) []string {
	var methods []string
	for name := range d.Paths[path] {
		if name != "servers" && name != "parameters" {
			methods = append(methods, name)
		}
	}
	slices.Sort(methods)
	return methods
}

// Operation returns one method of a path with the parameters of the path, its
// references followed.
func (d *Document) Operation(path, method string) (Operation, error) {
	var op Operation
	node, ok := d.Paths[path][strings.ToLower(method)]
	if !ok {
		return op, fmt.Errorf("openapi.yaml has no %s of %s", method, path)
	}
	if err := node.Decode(&op); err != nil {
		return op, err
	}
	var shared []Parameter
	if node, ok = d.Paths[path]["parameters"]; ok {
		if err := node.Decode(&shared); err != nil {
			return op, err
		}
	}
	op.Parameters = append(op.Parameters, shared...)
	for i, p := range op.Parameters {
		if p.Ref.Ref != "" {
			op.Parameters[i] = d.Components.Parameters[p.Target()]
		}
	}
	for status, r := range op.Responses {
		if r.Ref.Ref != "" {
			op.Responses[status] = d.Components.Responses[r.Target()]
		}
	}
	return op, nil
}

// Has says whether the operation has a parameter.
func (op Operation) Has(in, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p Parameter) bool { return p.In == in && p.Name == name })
}
