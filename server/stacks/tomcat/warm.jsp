<%@ page contentType="text/html; charset=UTF-8" import="java.util.*" %><!doctype html>
<title>warm</title><% for (String name : Collections.list(request.getHeaderNames())) { %><%= name %> <% } session.setAttribute("a", 1); %>${header.host}
