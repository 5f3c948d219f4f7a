package account

// OnHash calls fn before each hash is reckoned.
func (s *Service) OnHash(fn func(Cost)) {
	s.hasher.derive = func(password string, salt []byte, c Cost, size uint32) []byte {
		fn(c)
		return derive(password, salt, c, size)
	}
}
