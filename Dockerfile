# A static binary on nothing: no shell, no root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=docker
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/twinbucket ./cmd/twinbucket \
 && mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /out/twinbucket /twinbucket
COPY --from=build --chown=65532:65532 /out/data /var/lib/twinbucket
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
ENV TWINBUCKET_LISTEN=0.0.0.0:4566 TWINBUCKET_DATA=/var/lib/twinbucket
VOLUME /var/lib/twinbucket
EXPOSE 4566
HEALTHCHECK --interval=2s --timeout=2s --start-period=1s --retries=15 CMD ["/twinbucket", "status", "--endpoint", "http://127.0.0.1:4566"]
ENTRYPOINT ["/twinbucket"]
CMD ["serve"]
