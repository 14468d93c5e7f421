package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A role is what somebody may do; each may do what those before it may.
type role int

const (
	anybody  role = iota // who can connect
	viewer               // reads
	operator             // moves rollouts
	approver             // like an operator; signs, once there is something to sign
	admin                // like an approver; changes the configuration, once that can be changed
)

// UnmarshalText sets r from its name.
func (r *role) UnmarshalText(b []byte) error {
	for i, name := range []string{"viewer", "operator", "approver", "admin"} {
		if name == string(b) {
			*r = viewer + role(i)
			return nil
		}
	}
	return fmt.Errorf("role %q (viewer, operator, approver or admin)", b)
}

// The files of the tokens, in the data folder.
const (
	tokensFile = "tokens.json"

	// OperatorFile is where the first start leaves a token for the operator,
	// readable by whoever owns the data folder. The server itself keeps only
	// its hash, so that the file may be moved to where secrets are kept.
	OperatorFile = "operator.token"
)

// Tokens knows who may do what. It keeps tokens.json: a list of
// {"name", "role", "sha256"}, the hash of the token in hex, to which people
// may add. It never changes, so that it is safe for concurrent use.
type Tokens struct {
	known []grant
}

// A grant is one token's right.
type grant struct {
	Name string `json:"name"`
	Role role   `json:"role"`
	Hash digest `json:"sha256"`
}

type digest [sha256.Size]byte

// UnmarshalText sets d from hex.
func (d *digest) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(d[:], b); err != nil || n != len(d) {
		return fmt.Errorf("sha256 %q: 64 hexadecimal digits wanted", b)
	}
	return nil
}

// ErrTokens is returned, wrapped, if the tokens of a data folder are gone.
var ErrTokens = errors.New("the tokens of this data folder are gone")

// OpenTokens reads the tokens of the data folder dir, which must exist. If
// dir is fresh, which says that nothing was ever decided in it, and there are
// none yet, it makes one for the operator; created is then the path of the file
// that holds it. Elsewhere it returns ErrTokens, wrapped: rights that somebody
// was given must not change because a file was lost.
func OpenTokens(dir string, fresh bool) (t *Tokens, created string, err error) {
	path := filepath.Join(dir, tokensFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		created = filepath.Join(dir, OperatorFile)
		if err = gone(path, created, fresh); err == nil {
			b, err = firstToken(path, created)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("open tokens: %w", err)
	}
	t = &Tokens{}
	if err := json.Unmarshal(b, &t.known); err != nil {
		return nil, "", fmt.Errorf("read tokens in %s (mend it, or restore it from a backup): %w", path, err)
	}
	return t, created, nil
}

// gone returns ErrTokens, wrapped, if there must have been a file at path: if
// the folder is not fresh, or the operator has a token, at tokenPath, already.
func gone(path, tokenPath string, fresh bool) error {
	if !fresh {
		return fmt.Errorf("%w: no %s (restore it from a backup, or write it anew: a list of name, role and sha256)", ErrTokens, path)
	}
	_, err := os.Stat(tokenPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: there is %s, but no %s (restore it from a backup; "+
		"or remove the former for a fresh token, since nothing was decided here yet)", ErrTokens, tokenPath, path)
}

// firstToken writes an operator's token to tokenPath and its hash to path. The
// hash comes last: a start that is cut short between the two has given nobody a
// right, and the next says so.
func firstToken(path, tokenPath string) ([]byte, error) {
	token := rand.Text() // 128 bits or more
	if err := os.WriteFile(tokenPath, []byte(token+"\n"), 0o600); err != nil {
		return nil, err
	}
	// WriteFile keeps the mode of a file that is there already.
	if err := os.Chmod(tokenPath, 0o600); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(token))
	b := fmt.Appendf(nil, "[{%q: %q, %q: %q, %q: %q}]\n", "name", "operator", "role", "operator", "sha256", hex.EncodeToString(hash[:]))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, err
	}
	return b, nil
}

// ReadToken returns the operator's token of the data folder dir, or "" if it
// is not there to be read.
func ReadToken(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, OperatorFile))
	if err != nil {
		return "" // the server will say what is wanted
	}
	return strings.TrimSpace(string(b))
}

// find returns whose token it is. It takes the same time for every token of
// the same length, right or wrong.
func (t *Tokens) find(token string) (name string, has role, ok bool) {
	hash := sha256.Sum256([]byte(token))
	for _, g := range t.known {
		if subtle.ConstantTimeCompare(hash[:], g.Hash[:]) == 1 {
			name, has, ok = g.Name, g.Role, true
		}
	}
	return name, has, ok
}

type actorKey struct{}

func withActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// actor returns who is behind a request that the guard let through.
func actor(ctx context.Context) string {
	who, _ := ctx.Value(actorKey{}).(string)
	return who
}
