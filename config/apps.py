"""The site as a Django app: wherever Django is set up, the Celery application is there."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from config.celery import app as celery_app

__all__ = ["AdministrationConfig", "SiteConfig", "celery_app"]


class SiteConfig(AppConfig):
    name = "config"


class AdministrationConfig(AdminConfig):
    default_site = "accounts.administration.Administration"
