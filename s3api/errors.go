package s3api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// wireError is how a failure code looks to a client.
type wireError struct {
	status  int
	code    string // "" is the failure's own code
	message string // used where the failure has none of its own
}

const malformedXML = "The XML you provided was not well-formed or did not validate against our published schema"

// wireErrors is the table of everything that can go wrong: failure code to HTTP status,
// S3 code and default message. A code that is not here is an InternalError (S40).
var wireErrors = map[failure.Code]wireError{
	"AccessDenied":                                   {status: 403, message: "Access Denied"},
	"AccessForbidden":                                {status: 403},
	"AccessControlListNotSupported":                  {status: 400, message: "The bucket does not allow ACLs"},
	"AuthorizationHeaderMalformed":                   {status: 400},
	"AuthorizationQueryParametersError":              {status: 400},
	"BadDigest":                                      {status: 400, message: "The Content-MD5 you specified did not match what we received."},
	"BadRequest":                                     {status: 400},
	"BucketAlreadyExists":                            {status: 409, message: "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
	"BucketAlreadyOwnedByYou":                        {status: 409, message: "Your previous request to create the named bucket succeeded and you already own it."},
	"BucketNotEmpty":                                 {status: 409, message: "The bucket you tried to delete is not empty"},
	"ConditionalRequestConflict":                     {status: 409, message: "The conditional request cannot succeed due to a conflicting operation against this resource."},
	"CrossLocationLoggingProhibitted":                {status: 403, message: "Cross S3 location logging not allowed. "},
	"EntityTooLarge":                                 {status: 400, message: "Your proposed upload exceeds the maximum allowed size"},
	"EntityTooSmall":                                 {status: 400, message: "Your proposed upload is smaller than the minimum allowed size"},
	"ExpiredToken":                                   {status: 400, message: "The provided token has expired."},
	"IdMismatch":                                     {status: 400, message: "Document ID does not match the specified configuration ID."},
	"IllegalLocationConstraintException":             {status: 400},
	"IllegalVersioningConfigurationException":        {status: 400, message: "The Versioning element must be specified"},
	"IncompleteBody":                                 {status: 400, message: "You did not provide the number of bytes specified by the Content-Length HTTP header"},
	"InternalError":                                  {status: 500, message: "We encountered an internal error. Please try again."},
	"InvalidAccessKeyId":                             {status: 403, message: "The AWS Access Key Id you provided does not exist in our records."},
	"InvalidArgument":                                {status: 400},
	"InvalidBucketAclWithObjectOwnership":            {status: 400, message: "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
	"InvalidBucketName":                              {status: 400, message: "The specified bucket is not valid."},
	"InvalidBucketOwnerAWSAccountID":                 {status: 400},
	"InvalidBucketState":                             {status: 409},
	"InvalidChunkSizeError":                          {status: 403, message: "Only the last chunk is allowed to have a size less than 8192 bytes"},
	"InvalidDigest":                                  {status: 400, message: "The Content-MD5 you specified was invalid."},
	"InvalidEncryptionAlgorithmError":                {status: 400, message: "The encryption request you specified is not valid. The valid value is AES256."},
	"InvalidLocationConstraint":                      {status: 400, message: "The specified location-constraint is not valid"},
	"InvalidObjectState":                             {status: 403, message: "The operation is not valid for the object's storage class"},
	"InvalidPart":                                    {status: 400, message: "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."},
	"InvalidPartNumber":                              {status: 416, message: "The requested partnumber is not satisfiable"},
	"InvalidPartOrder":                               {status: 400, message: "The list of parts was not in ascending order. Parts must be ordered by part number."},
	"InvalidPolicyDocument":                          {status: 400},
	"InvalidRange":                                   {status: 416, message: "The requested range is not satisfiable"},
	"InvalidRequest":                                 {status: 400},
	"InvalidS3DestinationBucket":                     {status: 400, message: "Invalid bucket ARN."},
	"InvalidStorageClass":                            {status: 400, message: "The storage class you specified is not valid"},
	"InvalidTag":                                     {status: 400},
	"InvalidTargetBucketForLogging":                  {status: 400},
	"InvalidToken":                                   {status: 400, message: "The provided token is malformed or otherwise invalid."},
	"InvalidURI":                                     {status: 400, message: "Couldn't parse the specified URI."},
	"BadRequestException":                            {status: 400},
	"IdempotencyException":                           {status: 400},
	"InvalidNextTokenException":                      {status: 400},
	"JobStatusException":                             {status: 400},
	"NoSuchJob":                                      {status: 404, code: "NotFoundException", message: "The specified job does not exist."},
	"TooManyTagsException":                           {status: 400},
	"KeyTooLongError":                                {status: 400, message: "Your key is too long"},
	"MalformedACLError":                              {status: 400, message: malformedXML},
	"MalformedPOSTRequest":                           {status: 400, message: "The body of your POST request is not well-formed multipart/form-data."},
	"MalformedPolicy":                                {status: 400},
	"MalformedTrailerError":                          {status: 400, message: "The request contained trailing data that was not well-formed or did not conform to our published schema."},
	"MalformedXML":                                   {status: 400, message: malformedXML},
	"MaxPostPreDataLengthExceeded":                   {status: 400, message: "Your POST request fields preceeding the upload file was too large."},
	"MaxMessageLengthExceeded":                       {status: 400, message: "Your request was too big."},
	"MetadataTooLarge":                               {status: 400, message: "Your metadata headers exceed the maximum allowed metadata size"},
	"MethodNotAllowed":                               {status: 405, message: "The specified method is not allowed against this resource."},
	"MissingContentLength":                           {status: 411, message: "You must provide the Content-Length HTTP header."},
	"MissingRequestBodyError":                        {status: 400, message: "Request Body is empty"},
	"MissingSecurityHeader":                          {status: 400, message: "Your request was missing a required header"},
	"NoSuchBucket":                                   {status: 404, message: "The specified bucket does not exist"},
	"NoSuchBucketPolicy":                             {status: 404, message: "The bucket policy does not exist"},
	"NoSuchConfiguration":                            {status: 404, message: "The specified configuration does not exist."},
	"NoSuchCORSConfiguration":                        {status: 404, message: "The CORS configuration does not exist"},
	"NoSuchKey":                                      {status: 404, message: "The specified key does not exist."},
	"NoSuchLifecycleConfiguration":                   {status: 404, message: "The lifecycle configuration does not exist"},
	"NoSuchObjectLockConfiguration":                  {status: 404, message: "The specified object does not have a ObjectLock configuration"},
	"NoSuchPublicAccessBlockConfiguration":           {status: 404, message: "The public access block configuration was not found"},
	"NoSuchResource":                                 {status: 404, message: "The specified resource doesn't exist."},
	"NoSuchTagSet":                                   {status: 404, message: "The TagSet does not exist"},
	"NoSuchUpload":                                   {status: 404, message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."},
	"NoSuchVersion":                                  {status: 404, message: "The specified version does not exist."},
	"NoSuchWebsiteConfiguration":                     {status: 404, message: "The specified bucket does not have a website configuration"},
	"NotImplemented":                                 {status: 501, message: "A header you provided implies functionality that is not implemented"},
	"NotModified":                                    {status: 304},
	"ObjectLockConfigurationNotFoundError":           {status: 404, message: "Object Lock configuration does not exist for this bucket"},
	"OperationAborted":                               {status: 409, message: "A conflicting conditional operation is currently in progress against this resource. Please try again."},
	"OwnershipControlsNotFoundError":                 {status: 404, message: "The bucket ownership controls were not found"},
	"PermanentRedirect":                              {status: 301, message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."},
	"PolicyTooLarge":                                 {status: 400, message: "Policy exceeds the maximum allowed document size."},
	"PreconditionFailed":                             {status: 412, message: "At least one of the pre-conditions you specified did not hold"},
	"ReplicationConfigurationNotFoundError":          {status: 404, message: "The replication configuration was not found"},
	"RequestTimeTooSkewed":                           {status: 403, message: "The difference between the request time and the current time is too large."},
	"RequestTimeout":                                 {status: 400, message: "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."},
	"RestoreAlreadyInProgress":                       {status: 409, message: "Object restore is already in progress"},
	"ServerSideEncryptionConfigurationNotFoundError": {status: 404, message: "The server side encryption configuration was not found"},
	"ServiceUnavailable":                             {status: 503, message: "Service is unable to handle request."},
	"SignatureDoesNotMatch":                          {status: 403, message: "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	"SlowDown":                                       {status: 503, message: "Please reduce your request rate."},
	"TooManyBuckets":                                 {status: 400, message: "You have attempted to create more buckets than allowed"},
	"UnresolvableGrantByEmailAddress":                {status: 400, message: "The e-mail address you provided does not match any account on record."},
	"TooManyConfigurations":                          {status: 400, message: "You are attempting to create a new configuration but have already reached the 1,000-configuration limit."},
	"UnexpectedContent":                              {status: 400, message: "This request does not support content"},
	"XAmzContentChecksumMismatch":                    {status: 400},
	"XAmzContentSHA256Mismatch":                      {status: 400, message: "The provided 'x-amz-content-sha256' header does not match what was computed."},

	// The object was removed between finding it and reading it.
	"DataGone": {status: 404, code: "NoSuchKey", message: "The specified key does not exist."},

	// What KMS answers S3 (S41). A denial comes out as S3's own, with KMS's sentence.
	"AccessDeniedException":         {status: 403, code: "AccessDenied"},
	"ThrottlingException":           {status: 503, code: "SlowDown", message: slowKMS},
	"DisabledException":             {status: 400, code: "KMS.DisabledException"},
	"IncorrectKeyException":         {status: 400, code: "KMS.IncorrectKeyException"},
	"InvalidArnException":           {status: 400, code: "KMS.InvalidArnException"},
	"InvalidCiphertextException":    {status: 400, code: "KMS.InvalidCiphertextException"},
	"InvalidGrantTokenException":    {status: 400, code: "KMS.InvalidGrantTokenException"},
	"InvalidKeyUsageException":      {status: 400, code: "KMS.InvalidKeyUsageException"},
	"KMSInvalidStateException":      {status: 400, code: "KMS.KMSInvalidStateException"},
	"KeyUnavailableException":       {status: 400, code: "KMS.KeyUnavailableException"},
	"LimitExceededException":        {status: 400, code: "KMS.LimitExceededException"},
	"NotFoundException":             {status: 400, code: "KMS.NotFoundException"},
	"UnsupportedOperationException": {status: 400, code: "KMS.UnsupportedOperationException"},
	"ValidationException":           {status: 400, code: "KMS.ValidationException"},
	"DependencyTimeoutException":    {status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request."},
	"KMSInternalException":          {status: 500, code: "InternalError"},
}

// slowKMS is S3's text for a throttled KMS call; KMS's own never reaches the client (S42).
const slowKMS = "Please reduce your request rate for operations involving AWS KMS."

// rendered is a failure ready for the wire.
type rendered struct {
	status  int
	code    string
	message string
	fields  []failure.Field
}

// wire renders err after the table. Whatever carries no failure is an InternalError,
// whose cause is for the log alone.
func wire(err error) rendered {
	var signature *sigv4.Error
	var tooLong *http.MaxBytesError
	f := failure.Of(err)
	switch {
	case f != nil:
	case errors.As(err, &signature):
		f = signatureFailure(signature)
	case errors.As(err, &tooLong):
		f = failure.New("EntityTooLarge", "")
	default:
		f = failure.New("InternalError", "")
	}
	w, ok := wireErrors[f.Code]
	if !ok {
		w = wireErrors["InternalError"]
		return rendered{status: w.status, code: "InternalError", message: w.message}
	}
	out := rendered{status: w.status, code: w.code, message: f.Message, fields: f.Fields}
	if out.code == "" {
		out.code = string(f.Code)
	}
	switch {
	case out.code == "InternalError":
		out.message, out.fields = wireErrors["InternalError"].message, nil
	case out.message == "" || f.Code == "ThrottlingException":
		out.message = w.message
	}
	return out
}

// renderError answers with err's document. HEAD and 304 have no body (S43).
func (req *request) renderError(out rendered) {
	h := req.w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control", "Expires"} {
		h.Del(name)
	}
	if out.status == http.StatusNotModified {
		h.Del("Content-Type")
		req.w.WriteHeader(out.status)
		return
	}
	h["Content-Type"] = []string{"application/xml"}
	var body []byte
	if req.r.Method != http.MethodHead {
		if body = errorDocument(out, req.id, h.Get("X-Amz-Id-2")); req.control {
			body = controlError(out, req.id, h.Get("X-Amz-Id-2"))
		}
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if out.code == "SlowDown" && req.slowDown(body) {
		return
	}
	req.w.WriteHeader(out.status)
	req.w.Write(body)
}

// errorDocument is the Error element: no namespace, the code's own children between
// Message and RequestId (S44).
func errorDocument(out rendered, requestID, hostID string) []byte {
	d := document{buf: append(make([]byte, 0, 512), xmlDeclaration...)}
	d.open("Error")
	d.text("Code", out.code)
	d.text("Message", out.message)
	for _, f := range out.fields {
		d.text(f.Name, f.Value)
	}
	d.text("RequestId", requestID)
	d.text("HostId", hostID)
	d.close("Error")
	return d.buf
}

// errClientGone ends a call whose client has hung up: nothing is answered.
var errClientGone = errors.New("s3api: client closed the connection")

// clientGone marks an error of writing a response.
func clientGone(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(errClientGone, err)
}

// abandoned reports whether nobody waits for the answer any more.
func (req *request) abandoned(err error) bool {
	return errors.Is(err, errClientGone) || req.ctx.Err() != nil && errors.Is(err, context.Canceled)
}
