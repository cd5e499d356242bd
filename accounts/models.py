"""Users, who sign in by e-mail address, their tenants, and the personal tokens that servers use in their name."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DEFAULT_TENANT = "default"


class TenantManager(models.Manager["Tenant"]):
    def default(self) -> Tenant:
        """The tenant of everybody who was given none."""
        return self.get_or_create(name=DEFAULT_TENANT)[0]


class Tenant(models.Model):
    """An organisation. Its managers see its recordings and no other's."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, *, tenant: Tenant | None = None, **fields: Any
    ) -> User:
        """Whoever makes a user this way vouches for the address, so that it counts as verified."""
        tenant = tenant or Tenant.objects.default()
        user = self.model(email=self.normalize_email(email).lower(), tenant=tenant, **fields)
        user.set_password(password)
        with transaction.atomic():
            user.save(using=self._db)
            user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_superuser` is the published "admin": it bypasses every permission check."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="users", verbose_name=_("tenant"))
    #: Blank follows the browser.
    language = models.CharField(_("language"), max_length=10, blank=True)
    #: None follows the server's own limit.
    max_queued_jobs = models.PositiveIntegerField(_("jobs in the queue at once"), null=True, blank=True)
    monthly_minutes = models.PositiveIntegerField(
        _("minutes a month"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    mails_when_done = models.BooleanField(_("mail when a recording is done"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the admin pages"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    #: Who comes with a token of the sandbox sees and makes jobs of the sandbox only. Of this request, not stored.
    in_sandbox = False

    objects: ClassVar[UserManager] = UserManager()
    #: The sign-in library's rows: whether an address is verified, and the one that somebody is changing to.
    emailaddress_set: Any

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        permissions = [("provider_openai", "May run analysis and translation through OpenAI")]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email


class PersonalToken(models.Model):
    """A key for one provider; accounts.tokens is the only one that makes, reads and ends it.

    Of a token made here only the SHA-256 is kept, which is enough for 256 random bits. A provider's own key, which
    this server has to send on, and the signing secrets are kept sealed (accounts.seal).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="personal_tokens")
    provider = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    #: None for a provider's own key: nobody signs in with that.
    digest = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    #: The last characters of the clear text, so that its owner knows which one this is.
    hint = models.CharField(max_length=8, blank=True, editable=False)
    sealed_key = models.TextField(blank=True, editable=False)
    sealed_webhook_secret = models.TextField(blank=True, editable=False)
    sealed_previous_secret = models.TextField(blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: Callbacks leave the transcript out and tell where to read it.
    thin_callbacks = models.BooleanField(default=False)
    #: What is handed in with it is not worked on: the end is made up (see whisper_jobs.sandbox).
    is_sandbox = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "provider"], name="token_owner_idx")]
        verbose_name = _("personal token")
        verbose_name_plural = _("personal tokens")

    def __str__(self) -> str:
        return f"{self.provider} token of {self.user}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_rotating(self) -> bool:
        """Whether the signing secret of before still signs along."""
        return self.previous_secret_until is not None and self.previous_secret_until > timezone.now()
