package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/internal/nearest"
)

// listed is how many names an error lists at most.
const listed = 20

// findNames returns the instances that are meant, by the names of their s6 services.
// Each is given by that name, or by the one that its entry has in a file. known are
// those that there are, sorted. The error says of each name that means none, or
// several, what could be meant.
func findNames(names, known []string) (found []string, err error) {
	var errs []error
	for _, name := range names {
		one, err := findName(name, known)
		if errs = append(errs, err); err == nil && !slices.Contains(found, one) {
			found = append(found, one)
		}
	}
	return found, errors.Join(errs...)
}

func findName(name string, known []string) (string, error) {
	if slices.Contains(known, name) {
		return name, nil
	}
	var found []string
	for _, service := range config.ServiceNames(name) {
		if slices.Contains(known, service) {
			found = append(found, service)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", unknownName(name, known)
	}
	return "", fmt.Errorf("several have the name %q: name the s6 service that is meant, %s", name, strings.Join(found, " or "))
}

// unknownName says that there is no instance of a name, and which there are.
func unknownName(name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("there is no %q, nor any other", name)
	}
	short := slices.Clone(known)
	for _, prefix := range config.ServiceNames("") {
		for _, k := range known {
			if entry, is := strings.CutPrefix(k, prefix); is {
				short = append(short, entry)
			}
		}
	}
	meant := ""
	if near := nearest.Word(name, short); near != "" {
		meant = "did you mean " + near + "? "
	}
	rest := ""
	if len(known) > listed {
		known, rest = known[:listed], fmt.Sprintf(" and %d more", len(known)-listed)
	}
	return fmt.Errorf("there is no %q: %sthere are %s%s", name, meant, strings.Join(known, ", "), rest)
}
