package place

// Promise is what requests of one or more buckets may rest on: of N replicas, W
// acknowledge a write and R answer a read. They are the bucket's pw and pr, or its
// w and r where these are 0.
type Promise struct{ N, W, R int }
