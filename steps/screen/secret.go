package screen

// Secret is text that must never be shown, logged or saved. It prints masked
// and refuses to be marshalled; only string(secret) reveals it.
type Secret string

// String masks the secret for every fmt verb that asks for a string.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "••••••••"
}

// GoString masks the secret for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText refuses, so that no encoder can write a secret.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecret }
