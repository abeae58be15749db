"""Every error is answered as a problem document."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from escalade.domain.errors import Rejected, Unavailable
from escalade.web.wire import PROBLEM, Problem, out_of_memory, rejected, unavailable


def _methods(app: FastAPI, path: str, known: str) -> str:
    """List every method an address takes; the framework knows those of one route only."""
    described = app.openapi()["paths"].items()
    calls = (calls for template, calls in described if compile_path(template)[0].match(path))
    methods = {method.upper() for each in calls for method in each}
    return ", ".join(sorted(methods | set(known.replace(",", " ").split())))


def add_problems(app: FastAPI) -> None:
    """Answer every error as a problem document."""

    def respond(problem: Problem) -> Response:
        headers = {name.decode(): value.decode() for name, value in problem.headers}
        headers |= {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return JSONResponse(problem.body(), status_code=problem.status, headers=headers, media_type=PROBLEM[1].decode())

    @app.exception_handler(Problem)
    async def _problem(_request: Request, error: Problem) -> Response:
        return respond(error)

    @app.exception_handler(Rejected)
    async def _rejected(_request: Request, error: Rejected) -> Response:
        return respond(rejected(error))

    @app.exception_handler(Unavailable)
    async def _unavailable(_request: Request, error: Unavailable) -> Response:
        return respond(unavailable(3, str(error)[:200]))

    @app.exception_handler(MemoryError)
    async def _out_of_memory(_request: Request, _error: MemoryError) -> Response:
        return respond(out_of_memory())

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, _error: Exception) -> Response:
        return respond(Problem("internal"))  # the framework raises it again, for whoever serves to log

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        pointer = "/" + "/".join(str(step) for step in first["loc"] if step not in {"body", "query", "path"})
        return respond(Problem("validation", str(first["msg"]), pointer=pointer, code=str(first["type"])))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kinds = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
        given = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
            given["allow"] = _methods(app, path, given.get("allow", ""))
        headers = tuple((name.encode(), value.encode()) for name, value in given.items())
        return respond(Problem(kinds.get(error.status_code, "malformed-request"), headers=headers))
