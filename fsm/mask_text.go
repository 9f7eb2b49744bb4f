package fsm

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// SecretName reports whether a name is that of a secret, as far as names tell:
// of a variable, a flag, a header, a key of a configuration. Case does not
// matter, nor how words are joined: api_key, X-Api-Key and apiKey are the same.
func SecretName(name string) bool {
	whole := strings.ToLower(strings.Join(words(name), ""))
	for _, part := range []string{
		"password", "passwd", "passphrase", "secret", "token", "credential", "authorization",
		"apikey", "accesskey", "privatekey", "connectionstring", "bearer",
	} {
		if strings.Contains(whole, part) {
			return true
		}
	}
	for _, word := range words(name) {
		switch strings.ToLower(word) {
		case "key", "keys", "pass", "pwd", "psk", "sas", "dsn", "jwt", "cookie", "cookies":
			return true
		}
	}
	return false
}

// words splits a name at what is neither a letter nor a digit, and where camelCase
// begins a word: x|Api|Key, MQTT|Key.
func words(name string) []string {
	var split strings.Builder
	runes := []rune(name)
	for n, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case n == 0 || !unicode.IsUpper(r):
		case !unicode.IsUpper(runes[n-1]), n+1 < len(runes) && unicode.IsLower(runes[n+1]):
			split.WriteByte(' ')
		}
		split.WriteRune(r)
	}
	return strings.Fields(split.String())
}

// MaskSecret returns Mask in place of a secret. The empty text and what only
// refers to a variable, as ${NAME} does, are no secrets.
func MaskSecret(secret string) string {
	if secret == "" || reference().MatchString(secret) {
		return secret
	}
	return Mask
}

// MaskText masks what is seen to be a secret in a text that may be of any sort,
// such as a command, an error or a line of a log: the passwords of URLs, or the
// user where there is only that, and what is given to a SecretName as in
// token=…, "token": …, --token … or X-Token: ….
func MaskText(text string) string {
	if !strings.ContainsAny(text, ":=-") {
		return text
	}
	return maskNamed(maskURLs(text))
}

// MaskArgs masks the arguments of a command: what follows a flag with a
// SecretName or is given to such a name, whatever is in it, and the rest as
// MaskText does.
func MaskArgs(args []string) []string {
	if args == nil {
		return nil
	}
	shown := make([]string, len(args))
	for n, arg := range args {
		name, value, given := strings.Cut(arg, "=")
		switch {
		case n > 0 && secretFlag(args[n-1]) && !secretFlag(arg):
			shown[n] = MaskSecret(arg)
		case given && !strings.ContainsAny(name, " \t\n:/?") && SecretName(name):
			shown[n] = name + "=" + MaskSecret(value)
		default:
			shown[n] = MaskText(arg)
		}
	}
	return shown
}

// secretFlag reports whether the value of a flag that comes next is a secret.
func secretFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.ContainsAny(arg, "= \t\n") && SecretName(arg)
}

// maskURLs masks the passwords of the URLs in a text.
func maskURLs(text string) string {
	var shown strings.Builder
	for {
		at := strings.Index(text, "://")
		if at < 0 {
			shown.WriteString(text)
			return shown.String()
		}
		at += len("://")
		shown.WriteString(text[:at])
		text = text[at:]
		url := text[:upTo(text, "\"<>`")]
		if info := userinfo(url); info > 0 {
			user, password, both := strings.Cut(url[:info], ":")
			if both {
				shown.WriteString(user + ":" + MaskSecret(password))
			} else {
				shown.WriteString(MaskSecret(user))
			}
			text = text[info:]
		}
	}
}

// userinfo returns the length of the user and password that a URL without its
// scheme begins with, 0 where it has none.
func userinfo(url string) int {
	authority := url[:upTo(url, "/?#")]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		return at
	}
	_, port, found := strings.Cut(authority, ":")
	if !found || strings.Trim(port, "0123456789") == "" {
		return 0
	}
	// A password with a slash in it that was not escaped.
	return max(0, strings.LastIndexByte(url, '@'))
}

// upTo returns where a text has the first blank or one of some other
// characters, its length for nowhere.
func upTo(text, chars string) int {
	if n := strings.IndexAny(text, " \t\r\n"+chars); n >= 0 {
		return n
	}
	return len(text)
}

var (
	// reference is what a shell or an engine puts a variable's value in place of.
	reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$\{\w+\}$`) })
	// assigned is a name with what stands between it and its value: the quote
	// that ends it, and a sign or a blank.
	assigned = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("([A-Za-z0-9_.-]+)(\\\\*[\"']?)(\\s*(?:=>|[=!:]?=|:)\\s*|[ \\t]+)")
	})
	// quote begins a quoted value; it may be within another one.
	quote = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(\"\"\"|\\\\*\"|\\\\*'|`)") })
	// scheme is what comes before the secret in a header.
	scheme = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?i:basic|bearer|digest|token)[ \t]+`)
	})
)

// maskNamed masks the values that are given to secret names in a text.
func maskNamed(text string) string {
	var shown strings.Builder
	for {
		at := assigned().FindStringSubmatchIndex(text)
		if at == nil {
			shown.WriteString(text)
			return shown.String()
		}
		name, closing, sign := text[at[2]:at[3]], text[at[4]:at[5]], strings.TrimSpace(text[at[6]:at[7]])
		shown.WriteString(text[:at[1]])
		text = text[at[1]:]
		header := sign == ":" && closing == "" && isHeader(name)
		switch {
		case !SecretName(name),
			sign == "" && (!strings.HasPrefix(name, "-") || strings.HasPrefix(text, "-")),
			sign == ":" && closing == "" && !header:
			continue
		}
		before, value, after := cutValue(text, header)
		shown.WriteString(before + MaskSecret(value))
		text = after
	}
}

// isHeader reports whether a secret name before a colon looks like a header, and
// not like the field of a spec that an error is about.
func isHeader(name string) bool {
	return strings.EqualFold(name, "authorization") || strings.EqualFold(name, "cookie") ||
		strings.Contains(name, "-") && !strings.Contains(name, ".")
}

// cutValue cuts off the value that a text begins with, quoted or up to the next
// blank, in a header up to the end of the line. What opens the value is before
// it.
func cutValue(text string, header bool) (before, value, after string) {
	if open := quote().FindString(text); open != "" {
		text = text[len(open):]
		end := closingQuote(text, open)
		return open, text[:end], text[end:]
	}
	end := upTo(text, "")
	if header {
		end = len(text)
		if line := strings.IndexAny(text, "\r\n"); line >= 0 {
			end = line
		}
	} else if s := scheme().FindString(text); s != "" {
		end = len(s) + upTo(text[len(s):], "")
	}
	return "", text[:end], text[end:]
}

// closingQuote returns where the quote that was opened is closed, the length of
// the text for nowhere. A backslash more than the quote has keeps it open.
func closingQuote(text, open string) int {
	for at := 0; ; {
		n := strings.Index(text[at:], open)
		if n < 0 {
			return len(text)
		}
		at += n
		before := text[:at]
		slashes := len(before) - len(strings.TrimRight(before, `\`))
		if slashes%2 == 0 || open == "`" || strings.HasSuffix(open, "'") || len(open) == 3 && open[0] == '"' {
			return at
		}
		at += len(open)
	}
}
