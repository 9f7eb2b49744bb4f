// Write writes what benchmarks have printed into BENCHMARKS.md, and draws its pictures.
// It is run at the top of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/bench"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "cannot write down what was measured:", err)
		os.Exit(1)
	}
}

// write writes the document and the pictures of a repository.
func write(root string) error {
	text, pictures, err := bench.Document(os.DirFS(root))
	if err != nil {
		return err
	}
	pictures[bench.DocumentName] = text
	for name, text := range pictures {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
