# The operator's image: one static binary, no shell, not root.
#
#   docker build --build-arg VERSION=v0.1.0 -t staticsite-operator:v0.1.0 .
#
# Equal sources give an equal binary: the toolchain is pinned, and -trimpath and
# -buildvcs=false keep the machine and the checkout out of it.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY *.go ./
COPY api api
COPY control control
COPY credentials credentials
COPY decode decode
COPY explain explain
COPY files files
COPY holdings holdings
COPY index index
COPY kube kube
COPY latest latest
COPY object object
COPY replicas replicas
COPY sitestatus sitestatus
COPY spelling spelling
COPY translate translate
COPY xds xds
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /manager .

FROM gcr.io/distroless/static:nonroot
COPY --from=build /manager /manager
USER 65532:65532
EXPOSE 9000 9443 8081
ENTRYPOINT ["/manager"]
