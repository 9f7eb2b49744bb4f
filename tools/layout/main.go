// Layout reads a graph in the language of Graphviz and prints where its nodes and
// edges are, in Graphviz's plain format.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-graphviz"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "layout:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("cannot read the graph: %w", err)
	}
	engine, err := graphviz.New(ctx)
	if err != nil {
		return fmt.Errorf("cannot start Graphviz: %w", err)
	}
	defer engine.Close()
	graph, err := graphviz.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("cannot parse the graph: %w", err)
	}
	var plain bytes.Buffer
	if err := engine.Render(ctx, graph, "plain", &plain); err != nil {
		return fmt.Errorf("cannot lay the graph out: %w", err)
	}
	_, err = plain.WriteTo(out)
	return err
}
