// The API's description as a page on which calls can be tried, as the person who is signed in or with a token of one's own.

const place = document.getElementById("swagger");
const csrf = place.querySelector('input[name="csrfmiddlewaretoken"]').value;

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) request.headers["X-CSRFToken"] = csrf;
    return request;
  },
});
