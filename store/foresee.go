package store

// Foresee is v as PutVersion would make it in b: with the Object Lock state that a new
// version gets there. Destinations are for [ReplicationConfiguration.Select] to say.
func Foresee(b *Bucket, v Version) Version {
	v.Bucket = b.Name
	v.Tags = sortTags(v.Tags)
	v.Lock = initialLock(b, &v)
	return v
}
