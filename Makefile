# The few commands people use. What they do stands in .ci/ and server/stacks/.
.PHONY: run test bench fmt tools web stacks layout

run: ; @.ci/portal
test: ; @.ci/test
bench: ; @.ci/bench
fmt: ; @cargo fmt --all
tools: ; @.ci/tools
web: ; @.ci/web
stacks: ; @server/stacks/build && server/stacks/push
layout: ; @.ci/layout
